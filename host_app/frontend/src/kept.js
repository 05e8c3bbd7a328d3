// A session that ends while somebody writes on a record or in a list: small forms and the open cell come back as they
// were after the sign-in. Big forms have their own drafts, and the server brings back what they sent.
import {again as reopen, standing} from './cells.js'
import {edit} from './record.js'
import {toast} from './shell.js'

const KEY = 'giga-kept'
const SMALL = '.inline-form, .composer form, .card-form'

function typed(form) {
  return [...form.elements]
    .filter(one => one.name && one.name !== 'csrf_token' && !['hidden', 'submit', 'file'].includes(one.type))
    .map(one => [one.name, one.value, one.checked ?? null])
}

const filled = form => [...form.elements].some(one => one.matches('textarea, input:not([type=hidden])') && one.value !== one.defaultValue)

const chosen = form => [...form.querySelectorAll('input[type=file]')].flatMap(one => [...one.files].map(file => file.name))

// `detail` of the event: the names of files that were on their way.
function keep(event) {
  const lost = [...event.detail ?? [], ...[...document.querySelectorAll(SMALL)].flatMap(chosen)]
  const forms = [...document.querySelectorAll(SMALL)]
    .filter(filled)
    .map(form => ({form: form.id, fact: form.closest('.fact')?.id, typed: typed(form)}))
  const cell = standing()
  if (cell) forms.push({record: cell.record, field: cell.field, typed: typed(cell.form)})
  try {
    if (forms.length + lost.length) sessionStorage.setItem(KEY, JSON.stringify({path: location.pathname, forms, lost}))
  } catch { /* no storage: nothing more can be done */ }
}

function fill(form, values) {
  for (const [name, value, checked] of values)
    for (const one of form.elements)
      if (one.name === name && (checked === null || !['checkbox', 'radio'].includes(one.type))) one.value = value
      else if (one.name === name && one.value === value) one.checked = checked
  form.querySelector('textarea, input:not([type=hidden])')?.dispatchEvent(new Event('input', {bubbles: true}))
}

async function bring({form, fact, record, field, typed: values}) {
  const cell = record && await reopen({record, field})
  if (cell) return fill(cell, values)
  const pen = fact && document.querySelector(`#${CSS.escape(fact)} .pen`)
  if (pen) await edit(pen)
  const place = pen ? document.querySelector(`#${CSS.escape(fact)} form`) : document.getElementById(form)
  if (place) place.hidden = false, fill(place, values)
}

export function start() {
  document.addEventListener('giga:ended', keep)
  let kept = null
  try {
    kept = JSON.parse(sessionStorage.getItem(KEY))
  } catch { /* unreadable: as good as none */ }
  if (kept?.path !== location.pathname) return
  sessionStorage.removeItem(KEY)
  kept.forms.forEach(bring)
  const again = document.getElementById('words').dataset.again
  kept.lost.forEach(name => toast(again.replace('%s', name), 'error'))
}
