// The picker of a reference: a combobox (WAI-ARIA 1.2) over a text field, its hidden id and a list from the server.
import {open} from './sheet.js'
import {pending} from './waiting.js'

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

// Whether the list still answers an earlier text than the one that stands in the field.
function stale(picker) {
  const {text, id} = parts(picker)
  return !id.value && picker.shown !== text.value
}

// One request for each text: keys that are pressed meanwhile wait for the same answer.
function search(picker) {
  const asked = parts(picker).text.value
  clearTimeout(picker.timer)
  if (picker.turn?.asked === asked) return picker.turn.answer
  const turn = {asked}
  turn.answer = load(picker, asked).finally(() => {
    if (picker.turn === turn) delete picker.turn
  })
  picker.turn = turn
  return turn.answer
}

async function load(picker, asked) {
  const {text, list} = parts(picker)
  const arrived = pending(list, 'li')
  const answer = await fetch(`${picker.dataset.url}?q=${encodeURIComponent(asked)}`, {headers: {'HX-Request': 'true'}}).catch(() => null)
  const found = answer?.ok ? await answer.json().catch(() => null) : null
  arrived()
  if (!found || text.value !== asked) return
  const rows = found.items.map((item, index) => option(picker, item, index))
  if (picker.dataset.create) rows.push(creation(picker, asked.trim(), rows.length))
  list.replaceChildren(...rows)
  picker.shown = asked
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
  const rows = [...list.querySelectorAll('[role=option]')]
  const at = rows.findIndex(row => row.ariaSelected === 'true')
  if (!rows.length) return search(picker)
  if (at >= 0) rows[at].ariaSelected = 'false'
  const next = rows[(at + step + rows.length) % rows.length]
  next.ariaSelected = 'true'
  next.scrollIntoView({block: 'nearest'})
  text.setAttribute('aria-activedescendant', next.id)
}

const marked = picker => picker.querySelector('[role=option][aria-selected=true]')

function unmark(picker) {
  marked(picker)?.removeAttribute('aria-selected')
  parts(picker).text.removeAttribute('aria-activedescendant')
}

// A key that is pressed before the answer is there acts on the answer; Enter alone marks the first entry, unseen as it is.
async function afterSearch(picker, act) {
  await search(picker)
  if (!stale(picker)) act()
}

function step(picker, by) {
  if (stale(picker)) afterSearch(picker, () => walk(picker, by))
  else walk(picker, by)
}

function chooseUnseen(picker) {
  afterSearch(picker, () => {
    const row = marked(picker)
    if (row) choose(picker, row)
    else walk(picker, 1)
  })
}

function onKey(event) {
  const picker = event.target.closest?.('.pick')
  if (!picker || event.target.role !== 'combobox') return
  const chosen = marked(picker)
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault()
    step(picker, event.key === 'ArrowDown' ? 1 : -1)
  } else if (event.key === 'Enter' && event.target.value && stale(picker)) {
    event.preventDefault()
    chooseUnseen(picker)
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
  unmark(picker)
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
