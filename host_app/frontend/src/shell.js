// What every page has: toasts, shortcuts, theme, the bar of a running request, the offline banner.
const root = document.documentElement
const words = () => document.getElementById('words')?.dataset ?? {}
const typing = target => target.closest?.('input, textarea, select, [contenteditable], dialog[open]')

export function toast(text, kind = '') {
  const box = document.createElement('div')
  box.className = `toast-g ${kind}`
  box.textContent = text
  document.getElementById('toasts')?.append(box)
  fade(box)
}

function fade(box) {
  const wait = box.querySelector('form, a') ? 9000 : 5000
  let timer = setTimeout(() => box.remove(), wait)
  box.addEventListener('mouseenter', () => clearTimeout(timer))
  box.addEventListener('mouseleave', () => { timer = setTimeout(() => box.remove(), 2500) })
}

export function mount(element) {
  element.querySelectorAll('.toast-g').forEach(fade)
  element.querySelectorAll('form[data-autosubmit]').forEach(form => form.requestSubmit())
  if (element.matches?.('[data-focus]')) element.focus()
  else element.querySelector('[data-focus]')?.focus()
}

const keys = {
  '/': () => document.getElementById('find')?.focus(),
  '?': () => document.getElementById('shortcuts')?.showModal(),
  n: () => document.querySelector('[data-key="n"]')?.click(),
  e: () => document.querySelector('#main [data-key="e"]')?.click(),
}

function onKey(event) {
  if ((event.ctrlKey || event.metaKey) && event.key === 'k') return event.preventDefault(), keys['/']()
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return
  if (!keys[event.key]) return
  event.preventDefault()
  keys[event.key]()
}

// A preference shows at once; the request that keeps it runs behind.
function onPreference(event) {
  const button = event.target.closest('[data-set]')
  if (!button) return
  const [name, value] = button.dataset.set.split('=')
  const next = name === 'side' && root.dataset.side === 'small' ? '' : value
  root.dataset[name] = next
  document.dispatchEvent(new Event('giga:theme'))
  button.parentElement.querySelectorAll('[aria-pressed]').forEach(b => b.setAttribute('aria-pressed', b === button))
}

function watchRequests() {
  const bar = document.querySelector('.bar-load')
  let running = 0
  const show = step => {
    running = Math.max(0, running + step)
    bar?.classList.toggle('on', running > 0)
  }
  document.addEventListener('htmx:beforeRequest', () => show(1))
  document.addEventListener('htmx:afterRequest', () => show(-1))
  document.addEventListener('htmx:responseError', event => {
    if (event.detail.xhr.status === 401) return location.reload()
    toast(event.detail.xhr.getResponseHeader('X-Message') || words().failed, 'error')
  })
  document.addEventListener('htmx:sendError', () => toast(words().lost, 'error'))
}

// The search box of the top bar: arrows walk through the hits.
function onFind(event) {
  if (event.target.id !== 'find') return
  const hits = [...document.querySelectorAll('.find-hits a')]
  const at = hits.findIndex(hit => hit.ariaSelected === 'true')
  if (event.key === 'Escape') return document.querySelector('.find-hits')?.replaceChildren(), event.target.blur()
  if (event.key === 'Enter' && at >= 0) return event.preventDefault(), hits[at].click()
  const step = {ArrowDown: 1, ArrowUp: -1}[event.key]
  if (!step || !hits.length) return
  event.preventDefault()
  hits[at] && (hits[at].ariaSelected = 'false')
  const next = hits[(at + step + hits.length) % hits.length]
  next.ariaSelected = 'true'
  next.scrollIntoView({block: 'nearest'})
}

export function start() {
  document.addEventListener('keydown', onFind)
  document.addEventListener('keydown', onKey)
  document.addEventListener('click', onPreference)
  document.addEventListener('click', event => {
    if (event.target.closest('[data-close]')) event.target.closest('dialog')?.close()
    const opener = event.target.closest('[data-dialog]')
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal()
    if (!event.target.closest('.find')) document.querySelector('.find-hits')?.replaceChildren()
  })
  document.addEventListener('toast', event => toast(event.detail.value ?? event.detail.text, event.detail.kind))
  const online = () => root.classList.toggle('is-offline', !navigator.onLine)
  addEventListener('online', online)
  addEventListener('offline', online)
  watchRequests()
}
