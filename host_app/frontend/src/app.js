// The script of every page. Pages and plugins reach the libraries through `window.giga`.
import htmx from './htmx.js'
import * as board from './board.js'
import * as builder from './builder.js'
import * as cells from './cells.js'
import * as columns from './columns.js'
import * as dates from './dates.js'
import * as drafts from './drafts.js'
import * as focus from './focus.js'
import * as forms from './forms.js'
import * as kept from './kept.js'
import * as list from './list.js'
import * as live from './live.js'
import * as menus from './menus.js'
import * as pick from './pick.js'
import * as palette from './palette.js'
import * as sheet from './sheet.js'
import * as record from './record.js'
import * as settings from './settings.js'
import * as shell from './shell.js'
import * as upload from './upload.js'
import * as waiting from './waiting.js'
import * as watch from './watch.js'

window.giga = {
  htmx,
  toast: shell.toast,
  // Loaded on first use: most pages draw no chart and drag nothing.
  chart: () => import('./chart.js').then(module => module.default),
  sse: () => import('htmx-ext-sse'),
  sortable: () => import('sortablejs').then(module => module.default),
}

const parts = [
  shell, focus, menus, palette, cells, list, pick, dates, drafts, forms, sheet, board, columns, builder,
  settings, record, kept, upload, waiting, watch, live,
]
for (const part of parts) {
  part.start()
  if (part.mount) htmx.onLoad(part.mount)
}

// Plugins load after this module and listen for it, or find `window.giga` already there.
document.dispatchEvent(new CustomEvent('giga:ready', {detail: window.giga}))
