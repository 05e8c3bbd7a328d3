// The picker of a reference: a combobox (WAI-ARIA 1.2) over a text field, its hidden id and a list from the server.
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
  const answer = await fetch(`${picker.dataset.url}?q=${encodeURIComponent(text.value)}`, {headers: {'HX-Request': 'true'}})
  if (!answer.ok || turn !== wait) return
  const found = await answer.json()
  list.replaceChildren(...found.items.map((item, index) => option(picker, item, index)))
  text.ariaExpanded = String(found.items.length > 0)
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
  const {text, id, was} = parts(picker)
  id.value = row.dataset.value
  text.value = was.value = row.firstChild.textContent
  id.dispatchEvent(new Event('change', {bubbles: true}))
  close(picker)
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
  } else if (event.key === 'Escape') close(picker)
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
    text.focus()
  })
}
