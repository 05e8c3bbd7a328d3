// The board: a card is moved by mouse, touch, its menu, or Alt and an arrow; a refused move goes back and says why.
import htmx from './htmx.js'
import {place} from './menus.js'
import {toast} from './shell.js'

const board = () => document.querySelector('.board[data-move]')
const url = card => `${card.closest('.board').dataset.move}/${card.dataset.id}/move`
const lane = key => [...document.querySelectorAll('.lane')].find(one => one.dataset.key === key)

async function send(card, key, more) {
  const token = document.querySelector('meta[name="csrf-token"]').content
  const body = new URLSearchParams(more ?? [])
  body.set('value', key)
  return fetch(url(card), {method: 'POST', headers: {'X-CSRFToken': token, 'HX-Request': 'true'}, body}).catch(() => null)
}

// Some columns ask something first, such as the reason for losing.
function ask(key) {
  const dialog = document.getElementById(lane(key)?.dataset.ask)
  if (!dialog) return Promise.resolve([])
  const form = dialog.querySelector('form')
  form.reset()
  dialog.returnValue = 'cancel'
  dialog.showModal()
  return new Promise(done => dialog.addEventListener('close', () => {
    done(dialog.returnValue === 'move' ? new FormData(form) : null)
  }, {once: true}))
}

async function move(card, key, undo) {
  const more = await ask(key)
  if (!more) return back(card, undo)
  const answer = await send(card, key, more)
  if (answer?.ok) return refresh(card.dataset.id)
  back(card, undo)
  toast(answer ? await answer.text() : document.getElementById('words').dataset.lost, 'error')
}

function back(card, undo) {
  undo()
  card.classList.add('refused')
  setTimeout(() => card.classList.remove('refused'), 900)
  card.querySelector('a')?.focus({preventScroll: true})
}

// Counts and sums are the server's; the card keeps the focus, and every column its place.
async function refresh(id) {
  const places = new Map([...document.querySelectorAll('.lane')].map(one => [one.dataset.key, one.querySelector('.cards-list').scrollTop]))
  const left = board().scrollLeft
  await htmx.ajax('GET', location.href, {target: '#board', select: '#board', swap: 'outerHTML'})
  board().scrollLeft = left
  for (const [key, top] of places) lane(key)?.querySelector('.cards-list').scrollTo(0, top)
  document.querySelector(`.kcard[data-id="${id}"] a`)?.focus()
}

// A colleague moved a card: the board follows unless one is in the middle of something on it.
export function follow() {
  if (!board()) return false
  if (!document.querySelector('.board.dragging, dialog[open]')) refresh(document.activeElement?.closest('.kcard')?.dataset.id)
  return true
}

// A finger near the edge moves the board along; browsers do that by themselves for the mouse alone.
const EDGE = 48
let carrying = 0

function carry() {
  let x = null
  const note = event => { x = event.touches?.[0]?.clientX ?? null }
  document.addEventListener('touchmove', note, {passive: true})
  clearInterval(carrying)
  carrying = setInterval(() => {
    const one = document.querySelector('.board.dragging')
    if (!one) {
      clearInterval(carrying)
      document.removeEventListener('touchmove', note)
    } else if (x !== null) {
      const {left, right} = one.getBoundingClientRect()
      one.scrollLeft += x > right - EDGE ? 7 : x < left + EDGE ? -7 : 0
    }
  }, 16)
}

function dropped({item, from, to, oldIndex}) {
  document.querySelector('.board')?.classList.remove('dragging')
  if (from === to) return
  move(item, to.closest('[data-key]').dataset.key, () => from.insertBefore(item, from.children[oldIndex] ?? null))
}

function onKey(event) {
  const card = event.target.closest?.('.board .kcard')
  const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1}[event.key]
  if (!card || !step || event.ctrlKey || event.metaKey) return
  event.preventDefault()
  const sideways = event.key === 'ArrowLeft' || event.key === 'ArrowRight'
  const lanes = [...document.querySelectorAll('.lane')]
  const next = lanes[lanes.indexOf(card.closest('.lane')) + step]
  if (event.altKey && sideways && next && board()) move(card, next.dataset.key, () => {})
  else if (!event.altKey) (sideways ? sibling(lanes, card, step) : walk(card, step))?.querySelector('a').focus()
}

const walk = (card, step) => {
  const cards = [...card.parentElement.querySelectorAll('.kcard')]
  return cards[cards.indexOf(card) + step]
}

function sibling(lanes, card, step) {
  for (let at = lanes.indexOf(card.closest('.lane')) + step; lanes[at]; at += step) {
    const cards = lanes[at].querySelectorAll('.kcard')
    if (cards.length) return cards[Math.min([...card.parentElement.children].indexOf(card), cards.length - 1)]
  }
}

function onClick(event) {
  const button = event.target.closest('[data-open-move]')
  const menu = document.getElementById('move-menu')
  if (!button || !menu) return
  const card = button.closest('.kcard')
  menu.action = url(card)
  menu.card = card
  menu.free = true
  menu.showPopover()
  const rect = button.getBoundingClientRect()
  place(menu, rect.right, rect.bottom + 4, true)
  menu.querySelector('button')?.focus()
}

function onSubmit(event) {
  if (event.target.id !== 'move-menu' || !event.target.card?.isConnected) return
  event.preventDefault()
  event.target.hidePopover()
  move(event.target.card, event.submitter.value, () => {})
}

export async function mount() {
  const lists = [...(board()?.querySelectorAll('.cards-list, .dropzone') ?? [])].filter(list => !list.sorted)
  if (!lists.length) return
  lists.forEach(list => { list.sorted = true })
  const Sortable = await window.giga.sortable()
  lists.forEach(list => new Sortable(list, {
    group: 'board', animation: 120, delay: 180, delayOnTouchOnly: true, touchStartThreshold: 5, draggable: '.kcard', filter: '.move',
    preventOnFilter: false, onStart: () => { board()?.classList.add('dragging'); carry() }, onEnd: dropped,
  }))
}

export function start() {
  document.addEventListener('keydown', onKey)
  document.addEventListener('click', onClick)
  document.addEventListener('submit', onSubmit, true)
}
