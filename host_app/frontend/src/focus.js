// The focus stays where somebody works: what a script draws anew gives it back, to the same thing or the nearest one.
const CAN = 'a[href], button:not([disabled], [tabindex="-1"]), input:not([type=hidden], [disabled]), select, textarea, summary, [tabindex="0"]'
let left = []
let adds = null

const lost = () => !document.activeElement || document.activeElement === document.body
const seen = element => element?.checkVisibility({visibilityProperty: true}) ?? false

function places(element) {
  const found = []
  for (let at = element; at && at !== document.body; at = at.parentElement) if (at.id) found.push(at.id)
  return found
}

function landing(id) {
  const place = document.getElementById(id)
  if (!seen(place)) return null
  if (place.matches(CAN)) return place
  return [...place.querySelectorAll(CAN)].find(seen) ?? (place.hasAttribute('tabindex') ? place : null)
}

// What a button added is where somebody goes on: its first control has the focus, and its name is said.
function added() {
  const fresh = adds && document.querySelector(adds)
  adds = null
  const control = fresh && [...(fresh.querySelector('.step-body') ?? fresh).querySelectorAll(CAN), ...fresh.querySelectorAll(CAN)].find(seen)
  if (!control) return false
  document.getElementById('heard').textContent = fresh.querySelector('[aria-label]')?.ariaLabel ?? ''
  control.focus()
  return true
}

// Nearest first; nobody who stands elsewhere by now is called back.
export function regain() {
  if (added() || !lost()) return
  for (const id of left) {
    const place = landing(id)
    if (place) return place.focus({preventScroll: true})
  }
}

export const remember = () => { if (!lost()) left = places(document.activeElement) }

export function start() {
  document.addEventListener('htmx:beforeSwap', event => {
    remember()
    adds = event.detail.requestConfig?.triggeringEvent?.submitter?.dataset.adds ?? adds
  })
  document.addEventListener('htmx:afterSettle', regain)
  document.addEventListener('htmx:oobAfterSwap', regain)
}
