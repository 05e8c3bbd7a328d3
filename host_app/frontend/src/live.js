// Live pages: one stream per open page says that something changed; what changed is fetched as its reader may see it.
// Without a stream (no room on the server, no EventSource) pages ask now and then by themselves.
import * as board from './board.js'

const topics = () => [...document.querySelectorAll('[data-live]')].map(one => one.dataset.live)
const tell = name => document.dispatchEvent(new CustomEvent(name))
let stream

function open() {
  if (stream || document.hidden || !document.getElementById('bell')) return
  const query = new URLSearchParams(topics().map(topic => ['topic', topic]))
  stream = new EventSource(`/live?${query}`)
  stream.addEventListener('record', () => tell('giga:news'))
  stream.addEventListener('notice', () => document.body.dispatchEvent(new CustomEvent('giga:notice')))
  stream.addEventListener('list', changed)
  // What a plugin sends to a person; its own script listens for it.
  stream.addEventListener('live', event => {
    document.dispatchEvent(new CustomEvent('giga:live', {detail: JSON.parse(event.data)}))
  })
  stream.addEventListener('error', () => { if (stream?.readyState === EventSource.CLOSED) stream = null })
}

function close() {
  stream?.close()
  stream = null
}

// A board follows its colleagues' moves; a list only says that it has news, for rows must not jump under one's eyes.
function changed() {
  if (board.follow()) return
  document.querySelector('.refresh')?.classList.add('has-news')
}

export function start() {
  if (!window.EventSource) return
  open()
  document.addEventListener('visibilitychange', () => document.hidden ? close() : open())
  addEventListener('pagehide', close)
}
