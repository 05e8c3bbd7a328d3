// The board: a card is moved by mouse, touch, its menu, or Alt and an arrow; a refused move goes back and says why.
import htmx from './htmx.js'
import {place} from './menus.js'
import {toast} from './shell.js'

const board = () => document.querySelector('.board[data-move]')
const url = card => `${card.closest('.board').dataset.move}/${card.dataset.id}/status`

async function move(card, key, undo) {
  const token = document.querySelector('meta[name="csrf-token"]').content
  const answer = await fetch(url(card), {
    method: 'POST',
    headers: {'X-CSRFToken': token, 'HX-Request': 'true'},
    body: new URLSearchParams({value: key}),
  }).catch(() => null)
  if (answer?.ok) return refresh(card.dataset.id)
  undo()
  toast(answer ? await answer.text() : document.getElementById('words').dataset.lost, 'error')
}

// Counts and sums are the server's; the card keeps the focus.
async function refresh(id) {
  await htmx.ajax('GET', location.href, {target: '#board', select: '#board', swap: 'outerHTML'})
  document.querySelector(`.kcard[data-id="${id}"] a`)?.focus({preventScroll: true})
}

function dropped({item, from, to, oldIndex}) {
  if (from === to) return
  move(item, to.closest('.lane').dataset.key, () => from.insertBefore(item, from.children[oldIndex] ?? null))
}

function onKey(event) {
  const step = {ArrowLeft: -1, ArrowRight: 1}[event.key]
  const card = event.target.closest?.('.board[data-move] .kcard')
  if (!card || !step || !event.altKey) return
  event.preventDefault()
  const lanes = [...board().querySelectorAll('.lane')]
  const next = lanes[lanes.indexOf(card.closest('.lane')) + step]
  if (next) move(card, next.dataset.key, () => {})
}

function onClick(event) {
  const button = event.target.closest('[data-open-move]')
  const menu = document.getElementById('move-menu')
  if (!button || !menu) return
  menu.action = url(button.closest('.kcard'))
  menu.free = true
  menu.showPopover()
  const box = button.getBoundingClientRect()
  place(menu, box.right, box.bottom + 4, true)
  menu.querySelector('button')?.focus()
}

export async function mount() {
  const lists = board()?.querySelectorAll('.cards-list') ?? []
  if (!lists.length) return
  const Sortable = await window.giga.sortable()
  lists.forEach(list => new Sortable(list, {
    group: 'board', animation: 120, delay: 150, delayOnTouchOnly: true, filter: '.move', preventOnFilter: false, onEnd: dropped,
  }))
}

export function start() {
  document.addEventListener('keydown', onKey)
  document.addEventListener('click', onClick)
}
