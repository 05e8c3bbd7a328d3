// Bundles src/ into the folder named on the command line: hashed files, manifest.json, icon sprite, licences.
import {createHash} from 'node:crypto'
import {mkdirSync, readFileSync, readdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import * as esbuild from 'esbuild'

const out = path.resolve(process.argv[2])
mkdirSync(out, {recursive: true})

const read = file => readFileSync(file, 'utf8')
const write = (name, text) => writeFileSync(path.join(out, name), text)

const {metafile} = await esbuild.build({
  entryPoints: ['src/app.js', 'src/theme.js', 'src/app.css'],
  bundle: true, minify: true, splitting: true, format: 'esm', target: ['es2022'],
  entryNames: '[name]-[hash]', chunkNames: '[name]-[hash]', assetNames: '[name]-[hash]',
  outdir: out, metafile: true, legalComments: 'external', logLevel: 'warning',
  loader: {'.woff2': 'file', '.svg': 'dataurl'},
})

const manifest = {}
for (const [file, output] of Object.entries(metafile.outputs))
  if (output.entryPoint) manifest[path.basename(output.entryPoint)] = path.basename(file)

// Only the icons that src/icons.txt names: "user" is the outline, "filled/star" becomes "star-filled".
const OUTLINE = 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'
const symbol = line => {
  const [name, style] = line.split('/').reverse()
  const svg = read(`node_modules/@tabler/icons/icons/${style ?? 'outline'}/${name}.svg`)
  const drawing = svg.slice(svg.indexOf('>') + 1, svg.lastIndexOf('</svg>')).replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none" ?\/>/, '')
  const [id, paint] = style ? [`${name}-${style}`, 'fill="currentColor" stroke="none"'] : [name, OUTLINE]
  return `<symbol id="${id}" viewBox="0 0 24 24" ${paint}>${drawing.replace(/\s*\n\s*/g, '')}</symbol>`
}
const names = read('src/icons.txt').split('\n').filter(Boolean)
const sprite = `<svg xmlns="http://www.w3.org/2000/svg">${names.map(symbol).join('')}</svg>`
manifest['icons.svg'] = `icons-${createHash('sha256').update(sprite).digest('hex').slice(0, 8)}.svg`
write(manifest['icons.svg'], sprite)
write('manifest.json', JSON.stringify(manifest, null, 1))

const packages = new Set(['@tabler/icons'])
for (const file of Object.keys(metafile.inputs)) {
  const found = file.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)
  if (found) packages.add(found[1])
}
const licence = name => {
  const folder = `node_modules/${name}`
  const {version, license} = JSON.parse(read(`${folder}/package.json`))
  const texts = readdirSync(folder).filter(file => /^(licen[cs]e|notice|copying)/i.test(file)).map(file => read(`${folder}/${file}`))
  return `==== ${name} ${version} (${license ?? 'see text'})\n${texts.join('\n')}`
}
write('THIRD_PARTY_LICENSES.txt', [...packages].sort().map(licence).join('\n\n'))
