// Forms as parts of a page: asked for by script, put in place with ids that nothing else has.
import htmx from './htmx.js'

const NAMING = ['for', 'aria-labelledby', 'aria-describedby', 'aria-controls', 'aria-activedescendant', 'popovertarget']
let number = 0

const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? ''

export function ask(url, options = {}, kind = 'open') {
  return fetch(url, {...options, headers: {'X-Sheet': kind, 'X-CSRFToken': token()}})
}

function parsed(html) {
  const mould = document.createElement('template')
  mould.innerHTML = html
  return mould.content
}

function rename(root, suffix) {
  for (const node of root.querySelectorAll('[id]')) node.id += suffix
  for (const name of NAMING)
    for (const node of root.querySelectorAll(`[${name}]`))
      node.setAttribute(name, node.getAttribute(name).split(' ').map(id => id + suffix).join(' '))
  for (const node of root.querySelectorAll('a[href^="#"]')) node.setAttribute('href', node.getAttribute('href') + suffix)
  for (const node of root.querySelectorAll('template')) rename(node.content, suffix)
}

// Another form may be open below, with fields of the same names.
function unique(content) {
  const taken = document.querySelector('form[data-draft]') || [...content.querySelectorAll('[id]')].some(node => document.getElementById(node.id))
  if (taken) rename(content, `-${++number}`)
  return content
}

export function fill(place, html, selector = '') {
  place.replaceChildren()
  const content = parsed(html)
  const wanted = selector ? content.querySelector(selector) : content
  const inner = parsed('')
  inner.append(...wanted.childNodes)
  place.append(unique(inner))
  htmx.process(place)
  htmx.trigger(place, 'htmx:load', {elt: place})
}

// The form drawn anew by the server; null when it did not answer with a form.
export async function reload(form, options = {}) {
  const place = form.closest('[data-form]')
  const answer = await ask(form.getAttribute('action'), options).catch(() => null)
  if (answer?.headers.get('X-Sheet') !== 'form') return null
  const html = await answer.text()
  const held = place.contains(document.activeElement) && document.activeElement.name
  fill(place, html, '[data-form]')
  if (held) place.querySelector(`[name="${CSS.escape(held)}"]:not([type=hidden])`)?.focus()
  return place
}
