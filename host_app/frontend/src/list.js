// The records of a list, as a table or as cards: a click opens one; selection, keyboard, menu of each record.
import htmx from './htmx.js'
import {place} from './menus.js'

const ROWS = '.tbl tbody tr:not(.group), .gcard'
const rows = () => [...document.querySelectorAll(ROWS)]
const box = row => row.querySelector('input[name=id]')
const link = row => row.querySelector('th a, :scope > a')
const head = () => document.querySelector('.tbl thead .c input')
const typing = target => target.closest('input:not([type=checkbox]), textarea, select, dialog, .menu, .cell-edit')
let last = null

function count() {
  const bar = document.querySelector('.selbar')
  if (!bar) return
  const boxes = rows().map(box).filter(Boolean)
  const chosen = boxes.filter(b => b.checked)
  const rest = bar.querySelector('[data-whole]')
  bar.classList.toggle('on', chosen.length > 0)
  rest?.toggleAttribute('hidden', chosen.length < boxes.length)
  if (!chosen.length || chosen.length < boxes.length) whole(bar, false)
  bar.querySelector('[data-count]').textContent = bar.classList.contains('whole') ? rest.dataset.whole : chosen.length
  const all = head()
  if (!all) return
  all.checked = chosen.length === boxes.length && boxes.length > 0
  all.indeterminate = chosen.length > 0 && !all.checked
}

function whole(bar, on) {
  const field = bar.closest('form').elements.whole
  if (field) field.value = on ? '1' : ''
  bar.classList.toggle('whole', on)
}

function range(target) {
  const list = rows()
  const ends = [list.indexOf(last), list.indexOf(target)].sort((a, b) => a - b)
  for (const row of list.slice(ends[0], ends[1] + 1)) box(row).checked = box(target).checked
}

function onBar(event) {
  const bar = event.target.closest('.selbar')
  if (bar && event.target.closest('[data-whole]')) return whole(bar, true), count()
  if (!bar || !event.target.closest('[data-clear]')) return
  rows().forEach(row => { box(row).checked = false })
  count()
}

function onClick(event) {
  onBar(event)
  const row = event.target.closest(ROWS)
  if (!row) return
  if (event.target.closest('.dots')) return openMenu(row, event.target.closest('.dots'))
  if (event.target.matches('input[name=id]')) {
    if (event.shiftKey && last) range(row)
    last = row
    return count()
  }
  clearTimeout(row.opening)
  if (event.target.closest('a, button, input, label, select, textarea') || getSelection().toString()) return
  if (event.target.closest('.c')) return box(row).click()
  const target = link(row)
  if (!target) return
  if (event.ctrlKey || event.metaKey) return open(target.href, '_blank')
  // A second click edits the cell instead.
  if (event.detail === 1) row.opening = setTimeout(() => target.click(), row.querySelector('td') ? 220 : 0)
}

function onChange(event) {
  if (!event.target.matches('.tbl thead .c input')) return
  rows().forEach(row => { box(row).checked = event.target.checked })
  count()
}

export const at = () => rows().find(row => row.classList.contains('at'))

export function stand(row) {
  at()?.classList.remove('at')
  if (!row) return
  row.classList.add('at')
  row.scrollIntoView({block: 'nearest'})
  link(row)?.focus({preventScroll: true})
}

function move(step) {
  const list = rows()
  stand(list[Math.max(0, Math.min(list.length - 1, list.indexOf(at()) + step))])
}

const keys = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  j: () => move(1),
  k: () => move(-1),
  x: row => row && box(row)?.click(),
  e: row => row && location.assign(`${link(row).pathname}/edit`),
  m: row => row && openMenu(row, link(row)),
}

function onKey(event) {
  if (!rows().length || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return
  if (!keys[event.key]) return
  event.preventDefault()
  keys[event.key](at())
}

// The menu of a record is asked for when it opens: what may be done depends on the record.
function openMenu(row, beside, x, y) {
  const menu = document.getElementById('row-menu')
  if (!menu) return
  const rect = beside.getBoundingClientRect()
  menu.free = true
  menu.showPopover()
  const put = () => place(menu, x ?? rect.left, y ?? rect.bottom + 4)
  put()
  menu.replaceChildren()
  htmx.ajax('GET', `${link(row).pathname}/menu`, {target: menu, swap: 'innerHTML'}).then(() => {
    menu.querySelectorAll('[data-here]').forEach(input => { input.value = location.pathname + location.search })
    put()
    menu.querySelector('a, button')?.focus()
  })
  menu.addEventListener('beforetoggle', event => { if (event.newState === 'closed' && row.isConnected) stand(row) }, {once: true})
}

function onMenu(event) {
  const row = event.target.closest(ROWS)
  if (!row || event.shiftKey && event.button === 2 || event.target.closest('a[href^="mailto:"], a[href^="tel:"], .cell-edit')) return
  event.preventDefault()
  openMenu(row, link(row), event.clientX || undefined, event.clientY || undefined)
}

// The button of the menu is made here: fifty of them would weigh more than all else in the page.
function addDots(row, label) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'dots'
  button.textContent = '⋯'
  button.ariaLabel = `${label}: ${link(row).textContent}`
  link(row).after(button)
}

// A job that ended has changed what the list shows; its progress leaves the address.
function reload(mark) {
  mark.remove()
  const here = new URL(location.href)
  if (!here.searchParams.has('job') || !document.getElementById('rows')) return
  here.searchParams.delete('job')
  history.replaceState(history.state, '', here)
  if (mark.dataset.jobDone === 'none') return
  htmx.ajax('GET', here.pathname + here.search, {target: '#rows', select: '#rows', swap: 'outerHTML', selectOOB: '#count'})
}

export function mount() {
  document.querySelectorAll('[data-job-done]').forEach(reload)
  count()
  const label = document.getElementById('row-menu')?.dataset.label
  if (label) rows().filter(row => link(row) && !row.querySelector('.dots')).forEach(row => addDots(row, label))
}

export function start() {
  document.addEventListener('click', onClick)
  document.addEventListener('change', onChange)
  document.addEventListener('keydown', onKey)
  document.addEventListener('contextmenu', onMenu)
  document.addEventListener('htmx:afterSwap', count)
}
