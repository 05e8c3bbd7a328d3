// Runs before the first paint: light or dark, so that nothing flashes, and a mark that scripts work.
const root = document.documentElement
const dark = matchMedia('(prefers-color-scheme: dark)')
const paint = () => {
  const wish = root.dataset.theme || 'auto'
  root.dataset.bsTheme = wish === 'auto' ? (dark.matches ? 'dark' : 'light') : wish
}
root.classList.add('js')
paint()
dark.addEventListener('change', paint)
document.addEventListener('giga:theme', paint)
