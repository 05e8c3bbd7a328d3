// What is awaited for more than 200 ms shows the shape of what comes: parts that are fetched, and the next page.
const LATE = 200
const running = new Map()

export function shape(count = 3) {
  const bones = document.createElement('div')
  bones.className = 'skeleton'
  bones.ariaHidden = 'true'
  for (let left = count; left > 0; left--) bones.append(document.createElement('i'))
  return bones
}

// Bones on top of a place, below which it stays as it is. Whoever types there is not interrupted.
function cover(place) {
  const {height, width} = place.getBoundingClientRect()
  if (height < 20 || width < 60 || place.querySelector(':scope > .skeleton') || place.contains(document.activeElement?.closest('input, textarea, select'))) return
  const bones = shape(Math.min(8, Math.max(1, Math.round(height / 60))))
  bones.classList.add('cover', 'shown')
  place.classList.add('awaits')
  place.append(bones)
}

function uncover(place) {
  place.classList.remove('awaits')
  place.querySelectorAll(':scope > .skeleton.cover').forEach(bones => bones.remove())
}

// Parts that are asked for again and again by themselves, and forms that are sent, keep what they show.
function onRequest({detail: {elt, target, requestConfig, xhr}}) {
  const swap = elt?.getAttribute?.('hx-swap')
  if (requestConfig.verb !== 'get' || !target || swap === 'none' || elt.getAttribute('hx-trigger')?.includes('every')) return
  running.set(xhr, {target, timer: setTimeout(cover, LATE, target)})
}

function onAnswer({detail: {xhr}}) {
  const wait = running.get(xhr)
  if (!wait) return
  clearTimeout(wait.timer)
  running.delete(xhr)
  uncover(wait.target)
}

// The lines of a list that a script draws, until it has them. Gives what ends it.
export function pending(list, bone = 'div') {
  const timer = setTimeout(() => {
    if (list.childElementCount) return
    const bones = shape(3)
    bones.classList.add('shown')
    const line = bone === 'div' ? bones : Object.assign(document.createElement(bone), {role: 'presentation'})
    if (line !== bones) line.append(bones)
    list.append(line)
  }, LATE)
  return () => {
    clearTimeout(timer)
    list.querySelectorAll('.skeleton').forEach(one => (one.parentElement === list ? one : one.parentElement).remove())
  }
}

const main = () => document.getElementById('main')

function leads(link) {
  if (link.target || link.hasAttribute('download') || link.origin !== location.origin) return false
  if (link.pathname === location.pathname && link.search === location.search) return false
  return !/^\/(files|api)\/|\/export$|\/download$/.test(link.pathname)
}

// A page that did not come (a download, a refusal to leave) uncovers what is there at the next touch.
function onLink(event) {
  const link = event.target.closest?.('a[href]')
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
  if (!leads(link) || !main()) return
  const timer = setTimeout(cover, LATE, main())
  const end = () => {
    clearTimeout(timer)
    uncover(main())
    for (const name of ['pointerdown', 'keydown', 'pagehide']) removeEventListener(name, end, true)
  }
  setTimeout(() => { for (const name of ['pointerdown', 'keydown', 'pagehide']) addEventListener(name, end, true) })
}

export function start() {
  document.addEventListener('htmx:beforeSend', onRequest)
  document.addEventListener('htmx:afterRequest', onAnswer)
  addEventListener('click', onLink)
}
