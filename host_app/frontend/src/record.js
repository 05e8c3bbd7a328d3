// The page of a record: facts and rows edited in place, the composer, forms in cards, refused buttons that say why.
import htmx from './htmx.js'
import {toast} from './shell.js'

const LIVE = '.inline-form, .composer form, .card-form'
const touched = new Set()

export function edit(pen) {
  const fact = pen.closest('.fact')
  fact.classList.add('opening')
  return htmx.ajax('GET', pen.getAttribute('href'), {source: fact, target: fact, swap: 'outerHTML'}).then(() => fact.classList.remove('opening'))
}

// A click on the value opens its editor, unless it was meant for a link in it or to select text.
function onFact(event) {
  const pen = event.target.closest('.fact .pen')
  if (pen) return event.preventDefault(), edit(pen)
  const value = event.target.closest('.fact dd')
  const open = value?.querySelector(':scope > .pen')
  if (!open || event.target.closest('a, button, summary') || getSelection().toString()) return
  edit(open)
}

function onClick(event) {
  const refused = event.target.closest('[data-why]')
  if (refused) return event.preventDefault(), toast(refused.dataset.why, 'error')
  const all = event.target.closest('[data-all]')
  if (all) return all.setAttribute('aria-expanded', all.closest('.card').classList.toggle('all'))
  const mode = event.target.closest('.composer button[data-mode]')
  if (mode) return compose(mode.closest('.composer'), mode.dataset.mode)
  const opener = event.target.closest('[data-open]')
  if (opener) return unfold(opener)
  onFact(event)
}

function compose(composer, mode) {
  composer.dataset.mode = mode
  composer.querySelectorAll('button[data-mode]').forEach(one => one.setAttribute('aria-pressed', one.dataset.mode === mode))
  composer.querySelector(`.${mode}-form :is(textarea, input:not([type=hidden]))`)?.focus()
}

function unfold(opener) {
  const form = document.getElementById(opener.dataset.open)
  form.hidden = !form.hidden
  opener.setAttribute('aria-expanded', !form.hidden)
  if (!form.hidden) form.querySelector('select, input:not([type=hidden])').focus()
}

// Runs before the picker's own handler: the first Escape closes its list, the next one the editor.
function onKey(event) {
  const form = event.target.closest?.(LIVE)
  // Whoever types while an editor is on its way means the editor, not the shortcuts of the page.
  if (event.key.length === 1 && !form && document.querySelector('.fact.opening')) return event.preventDefault()
  if (event.key === 'F2') {
    const pen = event.target.closest?.('.fact')?.querySelector('.pen')
    if (pen) event.preventDefault(), edit(pen)
  } else if (form && event.key === 'Escape') {
    const list = event.target.closest('.pick')?.querySelector('[role=listbox]')
    if (!list?.children.length) leave(form)
  } else if (form && event.key === 'Enter' && (event.ctrlKey || event.metaKey || event.target.tagName === 'SELECT')) {
    event.preventDefault()
    form.requestSubmit()
  }
}

function leave(form) {
  const opener = document.querySelector(`[data-open="${form.id}"]`)
  if (opener) return unfold(opener), opener.focus()
  form.querySelector('[data-cancel]')?.click()
}

export function mount(element) {
  const form = element.matches?.('.inline-form') ? element : element.querySelector?.('.inline-form')
  const input = form?.querySelector('[aria-invalid], textarea, select, input:not([type=hidden])')
  if (!input) return
  input.focus()
  if (input.matches('[type=text], [type=email], [type=tel], input:not([type])')) input.select()
}

export function start() {
  document.addEventListener('click', onClick)
  document.addEventListener('keydown', onKey, true)
  document.addEventListener('input', event => {
    const form = event.target.closest(LIVE)
    if (form) touched.add(form)
  })
  document.addEventListener('submit', event => touched.delete(event.target))
  addEventListener('beforeunload', event => {
    if ([...touched].some(form => form.isConnected)) event.preventDefault()
  })
}
