// The column chooser: a column is moved further left by its button.
export function start() {
  document.addEventListener('click', event => {
    const button = event.target.closest('[data-up]')
    const option = button?.closest('.option')
    if (!option?.previousElementSibling) return
    option.previousElementSibling.before(option)
    option.querySelector('input').checked = true
    button.focus()
  })
}
