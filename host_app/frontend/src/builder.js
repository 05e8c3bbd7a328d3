// The filter builder: a row takes another shape as soon as its field or comparison is chosen.
export function start() {
  document.addEventListener('change', event => {
    if (!event.target.matches('#builder [data-again], #builder .pick [data-id]')) return
    event.target.form.requestSubmit(event.target.form.querySelector('[data-refresh]'))
  })
}
