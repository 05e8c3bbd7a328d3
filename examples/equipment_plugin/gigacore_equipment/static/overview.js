// Draws the table beside it as a chart; the host lends its chart library.
const draw = async giga => {
  const canvas = document.querySelector('canvas[data-chart=equipment]')
  const rows = [...document.querySelectorAll('#equipment-states tr')]
  const Chart = await giga.chart()
  new Chart(canvas, {
    type: 'bar',
    data: {
      labels: rows.map(row => row.cells[0].textContent),
      datasets: [{data: rows.map(row => Number(row.cells[1].textContent))}],
    },
    options: {plugins: {legend: {display: false}}, scales: {y: {ticks: {precision: 0}}}},
  })
}
if (window.giga) draw(window.giga)
else document.addEventListener('giga:ready', event => draw(event.detail))
