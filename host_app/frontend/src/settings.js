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

export function start() {
  document.addEventListener('input', event => { if (event.target.dataset?.sift) sift(event.target) })
  document.addEventListener('click', event => {
    const button = event.target.closest('[data-copy]')
    if (button) copy(button)
  })
}
