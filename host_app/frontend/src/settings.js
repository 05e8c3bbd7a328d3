// Settings: lists put in order by dragging, the index sifted while typing, a one-time link copied.
import {toast} from './shell.js'

function sift(input) {
  const wanted = fold(input.value).split(/\s+/)
  let left = 0
  for (const link of document.querySelectorAll(input.dataset.sift)) {
    const called = fold(`${link.textContent} ${link.dataset.words ?? ''}`)
    const fits = wanted.every(word => called.includes(word))
    link.parentElement.hidden = !fits
    left += fits
  }
  document.querySelectorAll('.settings-cards').forEach(part => { part.hidden = !part.querySelector('li:not([hidden])') })
  document.querySelector('[data-sift-none]').hidden = left > 0
}

const fold = text => text.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase().trim()

async function copy(button) {
  const input = document.getElementById(button.dataset.copy)
  input.select()
  try {
    await navigator.clipboard.writeText(input.value)
  } catch {
    document.execCommand('copy')
  }
  toast(button.dataset.done)
}

// The server keeps the order; the arrows beside the handle do the same without a mouse.
async function dropped(list, before) {
  const form = document.getElementById(list.dataset.sortable)
  if ([...new FormData(form)].join() === before) return
  form.requestSubmit()
}

export async function mount(element) {
  element.querySelectorAll?.('[data-unfold]').forEach(button => button.click())
  const here = element.querySelector?.('.settings > nav [aria-current]')
  if (here) here.parentElement.scrollLeft = here.offsetLeft - (here.parentElement.clientWidth - here.offsetWidth) / 2
  const lists = element.querySelectorAll?.('[data-sortable]') ?? []
  if (!lists.length || !window.giga) return
  const Sortable = await window.giga.sortable()
  lists.forEach(list => {
    let before = ''
    list.classList.add('sortable-on')
    new Sortable(list, {
      handle: '.grip', animation: 120, onEnd: () => dropped(list, before),
      onStart: () => { before = [...new FormData(document.getElementById(list.dataset.sortable))].join() },
    })
  })
}

// The preview of the branding follows what is typed; the server works out the readable shades.
let asked = 0
async function paint(input) {
  const mine = ++asked
  const answer = await fetch(`${input.dataset.accent}?accent=${encodeURIComponent(input.value)}`)
  const found = answer.ok ? await answer.json() : {}
  if (mine !== asked) return
  for (const look of document.querySelectorAll('.look'))
    for (const [name, value] of Object.entries(found[look.dataset.bsTheme] ?? {})) look.style.setProperty(`--g-${name}`, value)
  document.querySelector('[data-pale]').textContent = found.told ?? ''
}

function branded(target) {
  const accent = document.querySelector('[data-accent]')
  if (!accent) return
  if (target.type === 'color') accent.value = target.value
  if (target.type === 'color' || target === accent) paint(accent)
  if (target === accent && /^#[0-9a-f]{6}$/i.test(accent.value)) document.getElementById(`${accent.id}-c`).value = accent.value
  if (target.name === 'core.brand_name')
    document.querySelectorAll('[data-look-name]').forEach(place => { place.textContent = target.value || place.dataset.lookName })
}

export function start() {
  document.addEventListener('input', event => branded(event.target))
  document.addEventListener('input', event => { if (event.target.dataset?.sift) sift(event.target) })
  document.addEventListener('click', event => {
    const button = event.target.closest('[data-copy]')
    if (button) copy(button)
  })
}
