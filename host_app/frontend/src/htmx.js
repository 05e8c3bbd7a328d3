// htmx set up for a strict Content-Security-Policy: no eval, no injected style, validation answers (422) are shown.
import htmx from 'htmx.org'

Object.assign(htmx.config, {
  allowEval: false,
  includeIndicatorStyles: false,
  historyRestoreAsHxRequest: false,
  historyCacheSize: 0,
  scrollBehavior: 'instant',
  responseHandling: [
    {code: '204', swap: false},
    {code: '[23]..', swap: true},
    {code: '422', swap: true},
    {code: '409', swap: true},
    {code: '412', swap: true},
    {code: '[45]..', swap: false, error: true},
  ],
})

// Set per request, not by an inherited attribute: htmx 4 would drop that in silence.
document.addEventListener('htmx:configRequest', event => {
  const token = document.querySelector('meta[name="csrf-token"]')
  if (token) event.detail.headers['X-CSRFToken'] = token.content
})

// The extension for server-sent events looks for the global when it is loaded.
window.htmx = htmx

export default htmx
