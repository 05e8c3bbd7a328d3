// News about the record on the page: a quiet notice, nothing is overwritten. Asked for now and then, and on coming back.
// Whoever pushes news instead dispatches `giga:news` on the document whenever there may be some.
const EVERY = 20000

async function ask() {
  const place = document.getElementById('news')
  if (!place?.dataset.url || place.childElementCount || document.hidden) return
  try {
    const answer = await fetch(place.dataset.url, {headers: {'HX-Request': 'true'}})
    if (answer.status === 200) place.innerHTML = await answer.text()
  } catch { /* offline: the banner says so */ }
}

export function start() {
  setInterval(ask, EVERY)
  addEventListener('focus', ask)
  document.addEventListener('visibilitychange', ask)
  document.addEventListener('giga:news', ask)
}
