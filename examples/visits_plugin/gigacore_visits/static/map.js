// Shows the map once its first tile has come; without the other host there is still the table.
const map = document.getElementById('visits-map')
const tile = new Image()
tile.alt = ''
tile.addEventListener('load', () => { map.append(tile); map.hidden = false })
tile.src = map.dataset.tiles
