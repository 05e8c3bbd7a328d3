// The search box and the command palette: one combobox over what the server finds, walked through by keyboard.
import {pending} from './waiting.js'

const dialog = () => document.getElementById('palette')
const box = target => target.closest?.('[data-palette]')
const options = form => [...form.querySelectorAll('[role=option]:not([aria-disabled])')]
const current = form => form.querySelector('[role=option][aria-selected=true]')
let turn = 0

async function look(form) {
  const mine = ++turn
  const {value} = form.elements.q
  if (!value.trim() && form.dataset.palette !== 'start') return clear(form)
  const hits = form.querySelector('.find-hits')
  const arrived = pending(hits)
  const answer = await fetch(`/search?q=${encodeURIComponent(value)}`, {headers: {'HX-Request': 'true'}}).catch(() => null)
  arrived()
  if (!answer?.ok || mine !== turn) return
  hits.innerHTML = await answer.text()
  options(form).forEach((option, index) => { option.id = `${hits.id}-${index}` })
  form.elements.q.ariaExpanded = 'true'
  mark(form, form.dataset.palette === 'start' ? options(form)[0] : null)
}

function clear(form) {
  form.querySelector('.find-hits').replaceChildren()
  form.elements.q.ariaExpanded = 'false'
  form.elements.q.removeAttribute('aria-activedescendant')
}

function mark(form, option) {
  current(form)?.removeAttribute('aria-selected')
  if (!option) return form.elements.q.removeAttribute('aria-activedescendant')
  option.ariaSelected = 'true'
  option.scrollIntoView({block: 'nearest'})
  form.elements.q.setAttribute('aria-activedescendant', option.id)
}

const commands = {
  theme: value => document.querySelector(`[data-set="theme=${value}"]`)?.click(),
  density: value => document.querySelector(`[data-set="density=${value}"]`)?.click(),
  locale: value => document.querySelector(`#m-me [name=locale][value=${value}]`)?.click(),
  dialog: value => document.getElementById(value)?.showModal(),
  form: value => document.querySelector(`form[action="${value}"] button`)?.click(),
}

function run(form, option) {
  dialog()?.close()
  if (option.dataset.command === undefined) return
  const [name, value] = option.dataset.command.split('=')
  commands[name]?.(value)
  clear(form)
}

function leave(form) {
  if (form.dataset.palette === 'start') return dialog().close()
  clear(form)
  form.elements.q.blur()
}

function onKey(event) {
  const form = event.target.name === 'q' && box(event.target)
  if (!form) return
  const list = options(form)
  const step = {ArrowDown: 1, ArrowUp: -1}[event.key]
  // A search field takes the first Escape for itself.
  if (event.key === 'Escape') return event.preventDefault(), leave(form)
  if (event.key === 'Enter' && current(form)) return event.preventDefault(), current(form).click()
  if (!step || !list.length) return
  event.preventDefault()
  mark(form, list[(list.indexOf(current(form)) + step + list.length) % list.length])
}

function onShortcut(event) {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'k' || !dialog()) return
  event.preventDefault()
  if (dialog().open) return dialog().close()
  const form = dialog().querySelector('form')
  form.reset()
  dialog().showModal()
  look(form)
}

export function start() {
  document.addEventListener('keydown', onShortcut)
  document.addEventListener('keydown', onKey)
  document.addEventListener('input', event => {
    const form = event.target.name === 'q' && box(event.target)
    if (!form) return
    clearTimeout(form.wait)
    form.wait = setTimeout(() => look(form), 140)
  })
  document.addEventListener('click', event => {
    const option = event.target.closest('[data-palette] [role=option]')
    if (option?.dataset.command !== undefined) event.preventDefault()
    if (option) return run(box(option), option)
    if (event.target === dialog()) dialog().close()
    document.querySelectorAll('[data-palette=""]').forEach(form => { if (!form.contains(event.target)) clear(form) })
  })
}
