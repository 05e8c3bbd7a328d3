// What is typed into a form stays in this browser until it is saved: it is there again after a crash or a reload.
import {reload} from './parts.js'

const PREFIX = 'giga-draft:'
const LASTS = 7 * 24 * 3600 * 1000
const MOST = 20
const OWN = new Set(['csrf_token', '_once', '_version'])
const waiting = new WeakMap()

const key = form => PREFIX + form.dataset.draft
// Of a file only the name can be kept: the server then says which one to choose again.
const text = ([name, value]) => typeof value === 'string' ? [name, value] : [name.replace(/\.file$/, '.lost'), value.name]
const typed = form => [...new FormData(form)].map(text).filter(([name, value]) => name !== 'csrf_token' && (value || !name.endsWith('.lost')))
const values = pairs => JSON.stringify(pairs.filter(([name]) => !OWN.has(name)))

function stored() {
  return Object.keys(localStorage).filter(name => name.startsWith(PREFIX))
}

function read(name) {
  try {
    const draft = JSON.parse(localStorage.getItem(name))
    return draft && Date.now() - draft.at < LASTS ? draft : null
  } catch {
    return null
  }
}

export function keep(form) {
  clearTimeout(waiting.get(form))
  if (!form.isConnected || !('dirty' in form.dataset)) return
  try {
    localStorage.setItem(key(form), JSON.stringify({at: Date.now(), typed: typed(form)}))
  } catch {
    // The storage is full or forbidden: the form works without it.
  }
}

function later(form) {
  clearTimeout(waiting.get(form))
  waiting.set(form, setTimeout(() => keep(form), 250))
}

export function drop(form) {
  clearTimeout(waiting.get(form))
  delete form.dataset.dirty
  localStorage.removeItem(key(form))
}

// The server draws the draft, so that child rows and picked records come back as they were.
async function restore(form) {
  const draft = read(key(form))
  if (!draft || 'kept' in form.dataset || values(draft.typed) === values(typed(form))) return
  const body = new URLSearchParams([...draft.typed, ['_restore', 'draft']])
  const fresh = await reload(form, {method: 'POST', body})
  if (fresh) fresh.querySelector('form').dataset.dirty = ''
}

// A saved form is told by the note about it; old drafts go with time, all of them with signing out.
function tidy() {
  const saved = new Set([...document.querySelectorAll('[data-saved]')].map(note => note.dataset.saved))
  const drafts = stored().map(name => [name, read(name)])
  for (const [name, draft] of drafts)
    if (!draft || saved.has(draft.typed.find(([field]) => field === '_once')?.[1])) localStorage.removeItem(name)
  const extra = drafts.filter(([, draft]) => draft).sort(([, a], [, b]) => b.at - a.at).slice(MOST)
  for (const [name] of extra) localStorage.removeItem(name)
}

export function mount(element) {
  if (element === document.body) tidy()
  element.querySelectorAll?.('form[data-draft]').forEach(restore)
}

export function start() {
  document.addEventListener('giga:typed', event => later(event.target))
  addEventListener('pagehide', () => document.querySelectorAll('form[data-dirty][data-draft]').forEach(keep))
  document.addEventListener('submit', event => {
    if (event.target.matches('[data-draft][data-dirty]')) keep(event.target)
    if (event.target.getAttribute('action') === '/sign-out') stored().forEach(name => localStorage.removeItem(name))
  }, true)
  document.addEventListener('click', event => {
    const button = event.target.closest('[data-afresh]')
    const form = button?.closest('[data-form]').querySelector('form')
    if (!form) return
    drop(form)
    reload(form)
  })
}
