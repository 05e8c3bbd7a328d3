// Files of a record: chosen or dropped, sent one after the other with progress.
import htmx from './htmx.js'
import {toast} from './shell.js'

const words = () => document.getElementById('words')?.dataset ?? {}

function send(form, file) {
  const request = new XMLHttpRequest()
  const bar = form.querySelector('progress')
  bar.hidden = false
  request.upload.addEventListener('progress', event => { bar.value = 100 * event.loaded / event.total })
  request.open('POST', form.action)
  request.setRequestHeader('HX-Request', 'true')
  request.setRequestHeader('X-CSRFToken', document.querySelector('meta[name="csrf-token"]').content)
  const body = new FormData()
  body.append('file', file)
  return new Promise(done => {
    request.addEventListener('loadend', () => done(request))
    request.send(body)
  })
}

function complain(request) {
  const told = request.getResponseHeader('HX-Trigger')
  const {text, kind} = told ? JSON.parse(told).toast : {text: request.status ? words().failed : words().lost, kind: 'error'}
  toast(text, kind)
}

// The sign-in comes next; files cannot wait for it, so the page then says which ones to choose again.
function ended(files) {
  document.dispatchEvent(new CustomEvent('giga:ended', {detail: files.map(file => file.name)}))
  location.reload()
}

async function upload(form, files) {
  let card = ''
  for (const file of files) {
    if (file.size > Number(form.dataset.most)) {
      toast(form.dataset.large.replace('%s', file.name), 'error')
      continue
    }
    const request = await send(form, file)
    if (request.status === 401) return ended(files.slice(files.indexOf(file)))
    if (request.status === 200) card = request.responseText
    else complain(request)
  }
  if (card) htmx.swap(form.closest('.card'), card, {swapStyle: 'outerHTML'})
  else form.querySelector('progress').hidden = true
}

function onDrop(event) {
  const zone = event.target.closest?.('[data-files]')
  if (!zone || !event.dataTransfer.types.includes('Files')) return
  event.preventDefault()
  zone.classList.toggle('over', event.type === 'dragover')
  if (event.type === 'drop') upload(zone, [...event.dataTransfer.files])
}

export function mount(element) {
  element.querySelectorAll?.('[data-files] input[type=file]').forEach(input => { input.multiple = true })
}

export function start() {
  for (const name of ['dragover', 'dragleave', 'drop']) document.addEventListener(name, onDrop)
  document.addEventListener('change', event => {
    const form = event.target.matches('input[type=file]') && event.target.closest('[data-files]')
    if (form) upload(form, [...event.target.files])
  })
}
