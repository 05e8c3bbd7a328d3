// The picker of a reference: a combobox (WAI-ARIA 1.2) over a text field, its hidden id and a list from the server.
import {open} from './sheet.js'
import {pending} from './waiting.js'

let wait = 0

const parts = picker => ({
  text: picker.querySelector('[role=combobox]'),
  id: picker.querySelector('[data-id]'),
  was: picker.querySelector('[data-was]'),
  list: picker.querySelector('[role=listbox]'),
})

function close(picker) {
  const {text, list} = parts(picker)
  list.replaceChildren()
  text.ariaExpanded = 'false'
  text.removeAttribute('aria-activedescendant')
}

async function search(picker) {
  const {text, list} = parts(picker)
  const turn = ++wait
  const arrived = pending(list, 'li')
  const answer = await fetch(`${picker.dataset.url}?q=${encodeURIComponent(text.value)}`, {headers: {'HX-Request': 'true'}}).catch(() => null)
  arrived()
  if (!answer?.ok || turn !== wait) return
  const found = await answer.json()
  const rows = found.items.map((item, index) => option(picker, item, index))
  if (picker.dataset.create) rows.push(creation(picker, text.value.trim(), rows.length))
  list.replaceChildren(...rows)
  text.ariaExpanded = String(rows.length > 0)
}

// The last line of the list makes the record that was not found.
function creation(picker, name, index) {
  const {createLabel, createEmpty} = picker.dataset
  const row = option(picker, {id: '', label: name ? createLabel.replace('{text}', name) : createEmpty}, index)
  row.dataset.name = name
  row.className = 'create'
  return row
}

async function create(picker, row) {
  const {dataset: {name}} = row
  close(picker)
  const url = picker.dataset.create + (name ? `?_title=${encodeURIComponent(name)}` : '')
  const saved = await open(url, 'pick')
  if (saved) put(picker, saved.id, saved.label)
  parts(picker).text.focus()
}

function option(picker, item, index) {
  const row = document.createElement('li')
  row.id = `${picker.id}-${index}`
  row.role = 'option'
  row.dataset.value = item.id
  row.append(item.label)
  if (item.hint) {
    const hint = document.createElement('small')
    hint.textContent = item.hint
    row.append(hint)
  }
  return row
}

function choose(picker, row) {
  if (row.matches('.create')) return create(picker, row)
  put(picker, row.dataset.value, row.firstChild.textContent)
  close(picker)
}

function put(picker, value, label) {
  const {text, id, was} = parts(picker)
  id.value = value
  text.value = was.value = label
  id.dispatchEvent(new Event('change', {bubbles: true}))
}

function walk(picker, step) {
  const {text, list} = parts(picker)
  const rows = [...list.children]
  const at = rows.findIndex(row => row.ariaSelected === 'true')
  if (!rows.length) return search(picker)
  if (at >= 0) rows[at].ariaSelected = 'false'
  const next = rows[(at + step + rows.length) % rows.length]
  next.ariaSelected = 'true'
  next.scrollIntoView({block: 'nearest'})
  text.setAttribute('aria-activedescendant', next.id)
}

function onKey(event) {
  const picker = event.target.closest?.('.pick')
  if (!picker || event.target.role !== 'combobox') return
  const chosen = picker.querySelector('[role=option][aria-selected=true]')
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault()
    walk(picker, event.key === 'ArrowDown' ? 1 : -1)
  } else if (event.key === 'Enter' && chosen) {
    event.preventDefault()
    choose(picker, chosen)
  } else if (event.key === 'Escape' && parts(picker).list.children.length) {
    event.preventDefault()
    close(picker)
  }
}

function onInput(event) {
  const picker = event.target.closest?.('.pick')
  if (!picker || event.target.role !== 'combobox') return
  parts(picker).id.value = ''
  parts(picker).was.value = ''
  clearTimeout(picker.timer)
  picker.timer = setTimeout(() => search(picker), 160)
}

export function start() {
  document.addEventListener('keydown', onKey)
  document.addEventListener('input', onInput)
  document.addEventListener('focusin', event => {
    const picker = event.target.role === 'combobox' && event.target.closest('.pick')
    if (picker && !parts(picker).id.value) search(picker)
  })
  document.addEventListener('focusout', event => {
    const picker = event.target.closest?.('.pick')
    if (picker && !picker.contains(event.relatedTarget)) setTimeout(() => close(picker), 150)
  })
  document.addEventListener('mousedown', event => {
    const row = event.target.closest('.pick [role=option]')
    if (!row) return
    event.preventDefault()
    choose(row.closest('.pick'), row)
  })
  document.addEventListener('click', event => {
    const clear = event.target.closest('.pick .clear')
    if (!clear) return
    const {text, id, was} = parts(clear.closest('.pick'))
    id.value = text.value = was.value = ''
    id.dispatchEvent(new Event('change', {bubbles: true}))
    text.focus()
  })
}
