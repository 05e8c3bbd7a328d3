// Forms: child rows without a round trip, no double sending, no silent loss of what was typed.
let dirty = false

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
  dirty = true
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
  dirty = true
}

function onSubmit(event) {
  const form = event.target
  if (form.method === 'dialog') return
  if (form.dataset.sure && !confirm(form.dataset.sure)) return event.preventDefault()
  if (form.matches('[data-guard]')) dirty = false
  if (form.dataset.sent && !form.hasAttribute('hx-post')) return event.preventDefault()
  form.dataset.sent = '1'
  // The page may come back from the browser's cache, or the answer may be a download.
  setTimeout(() => delete form.dataset.sent, 4000)
}

function onDrop(event) {
  const zone = event.target.closest?.('.drop')
  if (!zone) return
  event.preventDefault()
  zone.classList.toggle('over', event.type === 'dragover')
  if (event.type !== 'drop') return
  const input = zone.querySelector('input[type=file]')
  input.files = event.dataTransfer.files
  input.dispatchEvent(new Event('change', {bubbles: true}))
}

export function mount(element) {
  const summary = element.querySelector?.('.error-summary')
  summary?.focus()
  element.querySelectorAll?.('[data-submit-on-change]').forEach(input => {
    input.addEventListener('change', () => input.form.requestSubmit())
  })
}

export function start() {
  document.addEventListener('click', onClick)
  document.addEventListener('submit', onSubmit)
  document.addEventListener('input', event => { if (event.target.closest('form[data-guard]')) dirty = true })
  for (const name of ['dragover', 'dragleave', 'drop']) document.addEventListener(name, onDrop)
  addEventListener('beforeunload', event => { if (dirty) event.preventDefault() })
  document.addEventListener('keydown', event => {
    const form = event.target.closest?.('form[data-guard]')
    if (form && (event.ctrlKey || event.metaKey) && event.key === 'Enter') form.requestSubmit()
  })
}
