// Charts, kept in a chunk of their own.
export {default} from 'chart.js/auto'
