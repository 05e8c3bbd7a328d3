// The table of a list: a row opens its record; selection, keyboard, row menu by right click.
import {place} from './menus.js'

const grid = () => document.querySelector('.tbl')
const rows = () => [...(grid()?.tBodies[0]?.rows ?? [])]
const box = row => row.querySelector('.c input')
const link = row => row.querySelector('th a')
const typing = target => target.closest('input:not([type=checkbox]), textarea, select, dialog, .menu')
let last = null

function count() {
  const bar = document.querySelector('.selbar')
  if (!bar) return
  const boxes = rows().map(box).filter(Boolean)
  const chosen = boxes.filter(b => b.checked)
  const all = grid().querySelector('thead .c input')
  bar.classList.toggle('on', chosen.length > 0)
  bar.querySelector('[data-count]').textContent = chosen.length
  bar.querySelector('[data-whole]')?.toggleAttribute('hidden', chosen.length < boxes.length)
  if (chosen.length < boxes.length) whole(bar, false)
  if (!all) return
  all.checked = chosen.length === boxes.length && boxes.length > 0
  all.indeterminate = chosen.length > 0 && !all.checked
}

function whole(bar, on) {
  const field = bar.closest('form').elements.whole
  if (field) field.value = on ? '1' : ''
  bar.classList.toggle('whole', on)
  if (on) bar.querySelector('[data-count]').textContent = bar.querySelector('[data-whole]').dataset.whole
}

function range(target) {
  const list = rows()
  const ends = [list.indexOf(last), list.indexOf(target)].sort((a, b) => a - b)
  for (const row of list.slice(ends[0], ends[1] + 1)) box(row).checked = box(target).checked
}

function onClick(event) {
  const bar = event.target.closest('.selbar')
  if (bar && event.target.closest('[data-clear]')) {
    rows().forEach(row => { box(row).checked = false })
    return count()
  }
  if (bar && event.target.closest('[data-whole]')) return whole(bar, true)
  const row = event.target.closest('.tbl tbody tr')
  if (!row) return
  if (event.target.matches('.c input')) {
    if (event.shiftKey && last) range(row)
    last = row
    return count()
  }
  if (event.target.closest('a, button, input, label, select') || getSelection().toString()) return
  if (event.target.closest('.c')) return box(row).click()
  const target = link(row)
  if (!target) return
  if (event.ctrlKey || event.metaKey) open(target.href, '_blank')
  else target.click()
}

function onChange(event) {
  if (!event.target.matches('.tbl thead .c input')) return
  rows().forEach(row => { box(row).checked = event.target.checked })
  count()
}

function move(step) {
  const list = rows()
  const at = list.findIndex(row => row.classList.contains('at'))
  const next = list[Math.max(0, Math.min(list.length - 1, at + step))]
  list[at]?.classList.remove('at')
  next?.classList.add('at')
  next?.scrollIntoView({block: 'nearest'})
  link(next)?.focus({preventScroll: true})
}

const keys = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  j: () => move(1),
  k: () => move(-1),
  x: row => row && box(row)?.click(),
  e: row => row && location.assign(`${link(row).pathname}/edit`),
}

function onKey(event) {
  if (!grid() || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return
  if (!keys[event.key]) return
  event.preventDefault()
  keys[event.key](rows().find(row => row.classList.contains('at')))
}

function onMenu(event) {
  const row = event.target.closest('.tbl tbody tr')
  const menu = document.getElementById('row-menu')
  if (!row || !menu || event.shiftKey || event.target.closest('a[href^="mailto:"], a[href^="tel:"]')) return
  event.preventDefault()
  const path = link(row)?.pathname
  menu.querySelectorAll('[data-path]').forEach(item => {
    const target = path + item.dataset.path
    if (item.tagName === 'FORM') item.action = target
    else item.href = target
  })
  menu.free = true
  menu.showPopover()
  place(menu, event.clientX, event.clientY)
  menu.querySelector('a')?.focus()
}

export function mount() {
  count()
}

export function start() {
  document.addEventListener('click', onClick)
  document.addEventListener('change', onChange)
  document.addEventListener('keydown', onKey)
  document.addEventListener('contextmenu', onMenu)
  // What is selected goes along with every bulk request, as in a plain form post.
  document.addEventListener('htmx:afterSwap', count)
}
