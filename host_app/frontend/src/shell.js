// What every page has: toasts, shortcuts, theme, the bar of a running request, the offline banner.
const root = document.documentElement
const words = () => document.getElementById('words')?.dataset ?? {}
const typing = target => target.closest?.('input, textarea, select, [contenteditable], dialog[open]')

// An open sheet hides what lies below it, so it has toasts of its own.
const place = () => [...document.querySelectorAll('dialog[open] .toasts')].pop() ?? document.getElementById('toasts')

export function toast(text, kind = '', url = '') {
  const box = document.createElement('div')
  box.className = `toast-g ${kind}`
  box.textContent = text
  if (url) box.append(Object.assign(document.createElement('a'), {href: url, textContent: words().open}))
  place()?.append(box)
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
  r: () => location.reload(),
  n: () => document.querySelector('[data-key="n"]')?.click(),
  e: () => document.querySelector('#main [data-key="e"]')?.click(),
}

function onKey(event) {
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

// Shown while the browser has no network, or the last request did not reach the server.
function offline(is) {
  root.classList.toggle('is-offline', is || !navigator.onLine)
}

function watchRequests() {
  const bar = document.querySelector('.bar-load')
  let running = 0
  const show = step => {
    running = Math.max(0, running + step)
    bar?.classList.toggle('on', running > 0)
  }
  const busy = (event, is) => is ? event.detail.target?.setAttribute('aria-busy', 'true') : event.detail.target?.removeAttribute('aria-busy')
  document.addEventListener('htmx:beforeRequest', event => { show(1); busy(event, true) })
  document.addEventListener('htmx:afterRequest', event => { show(-1); busy(event, false) })
  document.addEventListener('htmx:responseError', event => {
    if (event.detail.xhr.status === 401) return document.dispatchEvent(new Event('giga:ended')), location.reload()
    if (event.detail.xhr.getResponseHeader('HX-Trigger')) return // the answer brings its own words
    toast(event.detail.xhr.getResponseHeader('X-Message') || words().failed, 'error')
  })
  document.addEventListener('htmx:sendError', () => {
    offline(true)
    toast(words().lost, 'error')
  })
  document.addEventListener('htmx:afterRequest', event => { if (event.detail.xhr?.status) offline(false) })
}

export function start() {
  document.addEventListener('keydown', onKey)
  document.addEventListener('click', onPreference)
  document.addEventListener('click', event => {
    if (event.target.closest('[data-close]')) event.target.closest('dialog')?.close()
    if (event.target.closest('[data-back]')) return history.back()
    if (event.target.closest('[data-refresh-page]')) return event.preventDefault(), location.reload()
    const opener = event.target.closest('[data-dialog]')
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal()
  })
  document.addEventListener('toast', event => toast(event.detail.value ?? event.detail.text, event.detail.kind))
  addEventListener('online', () => offline(false))
  addEventListener('offline', () => offline(true))
  offline(!navigator.onLine)
  watchRequests()
}
