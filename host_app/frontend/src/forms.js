// Forms: child rows without a round trip, no double sending, no silent loss of what was typed.
import {drop} from './drafts.js'
import {toast} from './shell.js'

const words = () => document.getElementById('words').dataset

function touched(form) {
  if (!form?.matches('[data-guard]')) return
  form.dataset.dirty = ''
  if (form.dataset.draft) form.dispatchEvent(new CustomEvent('giga:typed', {bubbles: true}))
}

function addRow(button) {
  const rows = button.closest('.rows')
  const mould = rows.querySelector('template')
  const index = Number(rows.dataset.next)
  rows.dataset.next = index + 1
  const copy = mould.content.cloneNode(true)
  copy.querySelectorAll('[name], [id], [for], [aria-describedby], [data-url]').forEach(node => {
    for (const name of ['name', 'id', 'for', 'aria-describedby', 'value'])
      if (node.hasAttribute(name)) node.setAttribute(name, node.getAttribute(name).replace('__i__', index))
  })
  rows.insertBefore(copy, button)
  button.previousElementSibling.querySelector('input:not([type=hidden]), select, textarea')?.focus()
  touched(rows.closest('form'))
}

function onClick(event) {
  const add = event.target.closest('.rows [data-add]')
  if (add) return event.preventDefault(), addRow(add)
  const remove = event.target.closest('.rows [data-remove]')
  if (!remove) return
  event.preventDefault()
  const rows = remove.closest('.rows')
  remove.closest('.row-item').remove()
  rows.querySelector('[data-add]')?.focus()
  touched(rows.closest('form'))
}

// After somebody else was faster: their value instead of the one typed here.
function onTheirs(event) {
  const button = event.target.closest('[data-theirs]')
  if (!button) return
  const input = button.closest('.field').querySelector('input:not([type=hidden]), select, textarea')
  if (input.type === 'checkbox') input.checked = button.dataset.theirs === '1'
  else input.value = button.dataset.theirs
  input.closest('.pick')?.querySelectorAll('[data-id], [data-was]').forEach(hidden => { hidden.value = '' })
  button.closest('.theirs').remove()
  input.focus()
  touched(input.form)
}

function onCancel(event) {
  const form = event.target.closest('[data-cancel]')?.closest('form')
  if (!form || event.defaultPrevented) return
  if ('dirty' in form.dataset && !confirm(words().cancel)) return event.preventDefault()
  drop(form)
}

function onSubmit(event) {
  const form = event.target
  if (form.method === 'dialog') return
  if (form.dataset.sure && !confirm(form.dataset.sure)) return event.preventDefault()
  if (form.matches('[data-guard]') && !navigator.onLine) return event.preventDefault(), toast(words().lost, 'error')
  delete form.dataset.dirty
  if (form.dataset.sent && !form.hasAttribute('hx-post')) return event.preventDefault()
  form.dataset.sent = '1'
  // The page may come back from the browser's cache, or the answer may be a download.
  setTimeout(() => delete form.dataset.sent, 4000)
}

// The file input itself takes what is dropped on it.
function onDrag(event) {
  event.target.closest?.('.file-box')?.classList.toggle('over', event.type === 'dragover')
}

function sizeOf(file) {
  const [unit, size] = file.size < 1e6 ? ['kilobyte', Math.max(1, file.size / 1e3)] : ['megabyte', file.size / 1e6]
  const digits = {maximumFractionDigits: unit === 'kilobyte' ? 0 : 1}
  return new Intl.NumberFormat(document.documentElement.lang, {style: 'unit', unit, ...digits}).format(size)
}

// The box says which file was chosen; one that is too large is told before it is sent.
function onFile(event) {
  const input = event.target
  const said = input.matches?.('.file-box input') && input.closest('.file-box').querySelector('[data-file-name]')
  if (!said) return
  if (input.dataset.most && input.files[0]?.size > Number(input.dataset.most)) {
    toast(words().large.replace('%s', input.files[0].name), 'error')
    input.value = ''
  }
  said.dataset.none ??= said.textContent
  const [file] = input.files
  said.textContent = file ? `${file.name} · ${sizeOf(file)}` : said.dataset.none
}

export function mount(element) {
  const summary = element.querySelector?.('.error-summary')
  summary?.focus()
  element.querySelectorAll?.('[data-submit-on-change]').forEach(input => {
    input.addEventListener('change', () => input.form.requestSubmit())
  })
}

// The names of countries or languages are asked for once, when the first of their inputs is entered; one may type any.
async function offerNames(input) {
  const id = input.getAttribute('list')
  if (!id?.startsWith('names-') || document.getElementById(id)) return
  const list = document.body.appendChild(document.createElement('datalist'))
  list.id = id
  const answer = await fetch(`/names/${id.slice(6)}`)
  if (!answer.ok) return list.remove()
  for (const name of (await answer.json()).items) list.appendChild(document.createElement('option')).value = name
}

export function start() {
  document.addEventListener('focusin', event => { if (event.target.matches('[list]')) offerNames(event.target) })
  document.addEventListener('click', onClick)
  document.addEventListener('submit', onSubmit)
  document.addEventListener('change', onFile)
  document.addEventListener('click', onTheirs)
  document.addEventListener('click', onCancel)
  for (const name of ['input', 'change']) document.addEventListener(name, event => touched(event.target.closest?.('form')))
  for (const name of ['dragover', 'dragleave', 'drop']) document.addEventListener(name, onDrag)
  addEventListener('beforeunload', event => { if (document.querySelector('form[data-dirty]')) event.preventDefault() })
  document.addEventListener('keydown', event => {
    const form = event.target.closest?.('form[data-guard]')
    if (form && (event.ctrlKey || event.metaKey) && event.key === 'Enter') form.requestSubmit()
  })
}
