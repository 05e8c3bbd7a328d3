// The only script of every page. Pages and plugins reach the libraries through `window.giga`.
import * as ui from '@tabler/core/dist/js/tabler.esm.js'
import Sortable from 'sortablejs'
import TomSelect from 'tom-select/popular'
import htmx from './htmx.js'

window.giga = {
  htmx,
  ui: {Collapse: ui.Collapse, Dropdown: ui.Dropdown, Modal: ui.Modal, Offcanvas: ui.Offcanvas, Toast: ui.Toast, Tooltip: ui.Tooltip},
  Sortable,
  TomSelect,
  // Loaded on first use: most pages draw no chart.
  chart: () => import('./chart.js').then(module => module.default),
}

// Plugins load after this module and listen for it, or find `window.giga` already there.
document.dispatchEvent(new CustomEvent('giga:ready', {detail: window.giga}))
