// Popovers used as menus: placed beside what opened them, walked through by arrow keys.
export function place(menu, x, y, right = false) {
  const {offsetWidth: width, offsetHeight: height} = menu
  const left = right ? x - width : x
  menu.style.right = 'auto'
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`
  menu.style.top = `${y + height > innerHeight - 8 ? Math.max(8, innerHeight - height - 8) : y}px`
}

function opener(menu) {
  return document.querySelector(`[popovertarget="${menu.id}"]:not([data-far])`)
}

function onToggle(event) {
  const menu = event.target
  if (!menu.matches?.('.menu') || event.newState !== 'open') return
  const button = menu.opener ?? opener(menu)
  if (!button || menu.free) return
  const box = button.getBoundingClientRect()
  place(menu, menu.matches('.end') ? box.right : box.left, box.bottom + 4, menu.matches('.end'))
  menu.querySelector('input:not([type=hidden]), a, button')?.focus()
}

function onKey(event) {
  const menu = event.target.closest?.('.menu')
  const step = {ArrowDown: 1, ArrowUp: -1}[event.key]
  if (!menu || !step || event.target.matches('select, textarea, input[type=number], input[type=date]')) return
  const items = [...menu.querySelectorAll('a, button, input, select')].filter(item => item.checkVisibility())
  const next = items[(items.indexOf(document.activeElement) + step + items.length) % items.length]
  event.preventDefault()
  next?.focus()
}

export function start() {
  document.addEventListener('toggle', onToggle, true)
  document.addEventListener('keydown', onKey)
  // A loaded filter box may be taller than the menu it came into.
  document.addEventListener('htmx:afterSettle', event => {
    const menu = event.target.closest?.('.menu:popover-open')
    if (menu) onToggle({target: menu, newState: 'open'})
  })
  // A link that fills a menu by htmx opens it, too; without scripts it is a plain link to a page.
  document.addEventListener('click', event => {
    const link = event.target.closest('[data-menu]')
    if (!link) return
    const menu = document.getElementById(link.dataset.menu)
    menu.opener = link
    menu.showPopover()
  })
  document.addEventListener('click', event => {
    const menu = event.target.closest('.menu')
    if (menu && event.target.closest('[data-done]')) menu.hidePopover()
  })
}
