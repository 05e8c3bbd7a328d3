// Dates are typed in the reader's own order; the calendar of the browser is one button away.
const PLACES = {d: 2, M: 1, y: 0}

function iso(box, text) {
  const [day, time = ''] = text.trim().split(/\s+/)
  if (/^\d{4}-\d\d?-\d\d?$/.test(day)) return day + (time ? `T${time}` : '')
  const parts = day.split(/[/.-]/)
  if (parts.length !== 3) return ''
  const found = [0, 0, 0]
  ;[...box.dataset.order].forEach((letter, place) => { found[PLACES[letter]] = parts[place] })
  const [year, month, date] = found
  return `${year.length === 2 ? `20${year}` : year}-${month.padStart(2, '0')}-${date.padStart(2, '0')}${time ? `T${time}` : ''}`
}

function written(box, value) {
  const [day, time] = value.split('T')
  const parts = day.split('-')
  return [...box.dataset.order].map(letter => parts[PLACES[letter]]).join('/') + (time ? ` ${time}` : '')
}

function onClick(event) {
  const button = event.target.closest('[data-calendar]')
  if (!button) return
  const box = button.closest('.dated')
  const calendar = box.querySelector('.calendar input')
  const value = iso(box, box.querySelector('.form-control').value)
  calendar.value = calendar.type === 'date' || !value || value.includes('T') ? value : `${value}T09:00`
  calendar.showPicker()
}

function onPicked(event) {
  const box = event.target.matches('.calendar input') && event.target.closest('.dated')
  if (!box || !event.target.value) return
  event.stopPropagation()
  const text = box.querySelector('.form-control')
  text.value = written(box, event.target.value)
  text.dispatchEvent(new Event('input', {bubbles: true}))
  text.dispatchEvent(new Event('change', {bubbles: true}))
}

export function start() {
  document.addEventListener('click', onClick)
  document.addEventListener('change', onPicked, true)
}
