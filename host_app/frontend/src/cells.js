// Cells of a table edited where they stand: double click, or F2 or Enter on the cell; Enter saves and goes down.
import htmx from './htmx.js'
import {at, stand} from './list.js'
import {toast} from './shell.js'

const CELLS = '.tbl tbody tr:not(.group) > :is(td, th):not(.c)'
const head = cell => cell.closest('table').tHead.rows[0].cells[cell.cellIndex]
const name = cell => head(cell).dataset.f
const path = cell => cell.parentElement.querySelector('th a').pathname
const words = () => document.getElementById('words').dataset
let open = null

function box() {
  let found = document.getElementById('cell-edit')
  if (found) return found
  found = document.createElement('div')
  found.id = 'cell-edit'
  found.className = 'cell-edit'
  found.popover = 'manual'
  document.getElementById('main').append(found)
  return found
}

async function ask(url, options = {}) {
  const headers = {'HX-Request': 'true', 'X-CSRFToken': document.querySelector('meta[name="csrf-token"]').content}
  const answer = await fetch(url, {...options, headers}).catch(() => null)
  if (!answer) toast(words().lost, 'error')
  if (answer?.status === 401) return document.dispatchEvent(new Event('giga:ended')), location.reload(), null
  return answer && {ok: answer.ok, html: answer.headers.get('Content-Type')?.startsWith('text/html'), text: await answer.text()}
}

function show(cell, text) {
  const target = box()
  target.innerHTML = text
  htmx.process(target)
  target.showPopover()
  const rect = cell.getBoundingClientRect()
  target.style.minWidth = `${Math.max(rect.width, 200)}px`
  target.style.left = `${Math.max(8, Math.min(rect.left - 4, innerWidth - target.offsetWidth - 8))}px`
  target.style.top = `${Math.max(8, Math.min(rect.top - 4, innerHeight - target.offsetHeight - 8))}px`
  const input = target.querySelector('[role=combobox], input:not([type=hidden]), select, textarea')
  input?.focus()
  if (input?.matches('input:not([type=checkbox])')) input.select()
}

export async function edit(cell) {
  if (!cell || !name(cell)) return
  getSelection().empty()
  stand(cell.parentElement)
  const answer = await ask(`${path(cell)}/cells/${name(cell)}`)
  if (!answer) return
  if (!answer.ok) return toast(answer.html ? words().failed : answer.text, 'error')
  open = cell
  show(cell, answer.text)
  open.first = new URLSearchParams(new FormData(box().querySelector('form'))).toString()
}

// The cell that is being edited, to be found again on the same page after a new sign-in.
export const standing = () => open && {record: path(open), field: name(open), form: box().querySelector('form')}

export async function again({record, field}) {
  const row = [...document.querySelectorAll('.tbl tbody tr:not(.group)')].find(one => one.querySelector('th a')?.pathname === record)
  const cell = row && [...row.cells].find(one => name(one) === field)
  if (cell) await edit(cell)
  return open === cell ? box().querySelector('form') : null
}

function leave() {
  const cell = open
  open = null
  box().hidePopover()
  box().replaceChildren()
  focus(cell)
}

function focus(cell) {
  if (!cell?.isConnected) return
  cell.tabIndex = -1
  stand(cell.parentElement)
  cell.focus({preventScroll: true})
  cell.scrollIntoView({block: 'nearest', inline: 'nearest'})
}

async function save(then) {
  const cell = open, form = box().querySelector('form')
  const body = new URLSearchParams(new FormData(form))
  if (body.toString() === cell.first) return leave(), then(cell)
  const answer = await ask(form.getAttribute('action'), {method: 'POST', body})
  if (!answer || open !== cell) return
  if (!answer.ok) return answer.html ? show(cell, answer.text) : toast(answer.text, 'error')
  const link = cell.matches('th') && cell.querySelector('a')
  ;(link || cell).innerHTML = answer.text
  leave()
  then(cell)
}

function below(cell, step) {
  const rows = [...document.querySelectorAll('.tbl tbody tr:not(.group)')]
  return rows[rows.indexOf(cell.parentElement) + step]?.cells[cell.cellIndex]
}

function beside(cell, step, fits = () => true) {
  let next = cell
  do next = step > 0 ? next.nextElementSibling : next.previousElementSibling
  while (next && (next.matches('.c') || !fits(next)))
  return next
}

function onTab(event) {
  const fields = [...box().querySelectorAll('input:not([type=hidden]), select, textarea')].filter(one => one.checkVisibility())
  const last = event.shiftKey ? fields[0] : fields.at(-1)
  if (document.activeElement !== last && fields.includes(document.activeElement)) return
  event.preventDefault()
  save(cell => edit(beside(cell, event.shiftKey ? -1 : 1, name)))
}

function onEditorKey(event) {
  const list = event.target.closest('.pick')?.querySelector('[role=listbox]')
  if (event.key === 'Escape' && !list?.children.length) return event.preventDefault(), leave()
  if (event.key === 'Tab') return onTab(event)
  if (event.key !== 'Enter' || list?.querySelector('[aria-selected=true]') || event.target.matches('button')) return
  if (event.target.matches('textarea') && !event.ctrlKey && !event.metaKey) return
  event.preventDefault()
  save(cell => focus(below(cell, 1) ?? cell))
}

function onKey(event) {
  if (open && event.target.closest('.cell-edit')) return onEditorKey(event)
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input:not([type=checkbox]), textarea, select, dialog, .menu')) return
  const cell = event.target.closest?.(CELLS) ?? at()?.querySelector('th')
  if (!cell) return
  const own = document.activeElement === cell
  const step = {ArrowRight: 1, ArrowLeft: -1}[event.key]
  const rows = {ArrowDown: 1, ArrowUp: -1}[event.key]
  if (event.key === 'F2') return event.preventDefault(), edit(own || name(cell) ? cell : beside(cell, 1, name))
  if (own && event.key === 'Enter') return event.preventDefault(), edit(cell)
  if (step) return event.preventDefault(), focus(beside(cell, step))
  if (own && rows) return event.preventDefault(), focus(below(cell, rows))
}

function onPointer(event) {
  if (!open || event.target.closest('.cell-edit, .toasts, .pick')) return
  save(() => {})
}

export function start() {
  document.addEventListener('keydown', onKey)
  document.addEventListener('pointerdown', onPointer)
  document.addEventListener('dblclick', event => edit(event.target.closest(CELLS)))
  document.addEventListener('click', event => { if (event.target.closest('.cell-edit [data-leave]')) leave() })
  document.addEventListener('submit', event => {
    if (!event.target.matches('.cell-form')) return
    event.preventDefault()
    save(cell => focus(cell))
  }, true)
}
