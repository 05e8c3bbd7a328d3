// Forms in a sheet beside the page: links to a new record open there, without scripts they lead to the whole page.
import * as drafts from './drafts.js'
import {ask, fill} from './parts.js'
import {toast} from './shell.js'

const NEW = /^\/(?!settings\/)[a-z0-9_]+\/[a-z0-9_-]+\/new$/
const words = () => document.getElementById('words').dataset
const path = url => url.pathname + url.search

function draw(kind) {
  const sheet = document.createElement('dialog')
  sheet.className = 'side-sheet'
  sheet.kind = kind
  sheet.innerHTML = '<div class="sheet-in"><div class="skeleton" aria-hidden="true"><i></i><i></i><i></i><i></i><i></i></div></div><div class="toasts" role="status" aria-live="polite"></div>'
  sheet.addEventListener('submit', onSubmit)
  sheet.addEventListener('cancel', event => { event.preventDefault(); leave(sheet) })
  sheet.addEventListener('click', onClick)
  document.body.append(sheet)
  sheet.showModal()
  return sheet
}

// Gives the record that was saved, or null. `pick` comes back to the form below instead of going to the record.
export function open(url, kind = 'open') {
  return new Promise(resolve => {
    const sheet = draw(kind)
    sheet.done = resolve
    load(sheet, url)
  })
}

async function load(sheet, url) {
  const answer = await ask(url, {}, sheet.kind).catch(() => null)
  if (!answer) return close(sheet, null), toast(words().lost, 'error')
  if (answer.headers.get('X-Sheet') !== 'form') return close(sheet, null), location.assign(url)
  show(sheet, await answer.text())
}

function show(sheet, html) {
  fill(sheet.querySelector('.sheet-in'), html)
  const title = sheet.querySelector('[data-title]')
  sheet.setAttribute('aria-label', title.textContent)
  sheet.querySelector('.sheet-body').scrollTop = 0
  const first = sheet.querySelector('.error-summary') ?? sheet.querySelector('.field :is(input:not([type=hidden]), select, textarea)')
  first?.focus()
}

function close(sheet, saved) {
  sheet.close()
  sheet.remove()
  if (sheet.again) arrive({next: location.pathname + location.search})
  sheet.done(saved)
}

// Closed, not cancelled: what was typed waits in its draft.
function leave(sheet) {
  const form = sheet.querySelector('form')
  const typed = form && 'dirty' in form.dataset
  if (typed) drafts.keep(form)
  close(sheet, null)
  if (typed) toast(words().draft)
}

function onClick(event) {
  const sheet = event.currentTarget
  const form = sheet.querySelector('form')
  if (event.target.closest('[data-close-sheet]')) return leave(sheet)
  if (event.target === sheet && !(form && 'dirty' in form.dataset)) return leave(sheet)
  if (event.target.closest('[data-cancel]')) {
    event.preventDefault()
    if ('dirty' in form.dataset && !confirm(words().cancel)) return
    drafts.drop(form)
    close(sheet, null)
  }
}

async function onSubmit(event) {
  const sheet = event.currentTarget
  const form = event.target
  event.preventDefault()
  event.stopPropagation()
  if (form.dataset.busy) return
  form.dataset.busy = '1'
  const answer = await ask(form.getAttribute('action'), {method: 'POST', body: new FormData(form, event.submitter)}, sheet.kind).catch(() => null)
  delete form.dataset.busy
  if (!answer) return toast(words().lost, 'error')
  const kind = answer.headers.get('X-Sheet')
  if (kind === 'saved') return saved(sheet, form, await answer.json())
  if (kind === 'form') return keepTyped(sheet, await answer.text())
  // Signed out or too old: the whole page asks to sign in and brings everything back.
  if (answer.status === 401 || answer.status === 403) return delete form.dataset.dirty, HTMLFormElement.prototype.submit.call(form)
  toast(words().failed, 'error')
}

function keepTyped(sheet, html) {
  show(sheet, html)
  sheet.querySelector('form').dataset.dirty = ''
}

function saved(sheet, form, told) {
  drafts.drop(form)
  if (told.again) {
    sheet.again = true
    load(sheet, told.next)
    return toast(told.text)
  }
  sheet.again = false
  const kind = sheet.kind
  close(sheet, told)
  if (kind === 'open') arrive(told)
}

// Where the reader goes on; a half-filled form on the page below is not left.
function arrive(told) {
  if (document.querySelector('form[data-dirty]')) return told.text && toast(told.text)
  if (told.next === location.pathname + location.search) location.reload()
  else location.assign(told.next)
}

function onLink(event) {
  const link = event.target.closest('a[href]')
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
  if (link.target || link.matches('[data-whole]') || link.origin !== location.origin || !NEW.test(link.pathname)) return
  event.preventDefault()
  link.closest('[popover]')?.hidePopover()
  const url = new URL(link.href)
  open(path(url)).then(() => link.isConnected && link.focus({preventScroll: true}))
}

export function start() {
  document.addEventListener('click', onLink)
}
