// Prints the TL text of a client's API layer, as its npm package ships it: node schema.mjs mtcute|gramjs
import { createRequire } from 'node:module'
import process from 'node:process'

const installed = createRequire(import.meta.url)

function gramjs() {
  return `${installed('telegram/tl/apiTl.js')}\n// LAYER ${installed('telegram/tl/AllTLObjects.js').LAYER}`
}

/** mtcute ships its schema as JSON; in it, a long that fits a number of JavaScript is an int53. */
function mtcute() {
  const { l: layer, e: definitions } = installed('@mtcute/core/tl/api-schema.json')
  return [...definitions.map(definition), `// LAYER ${layer}`].join('\n')
}

function definition({ name, id, type, arguments: fields }) {
  return [`${name}#${id.toString(16)}`, ...fields.map(field), `= ${type};`].join(' ')
}

function field({ name, type, typeModifiers: { predicate, isVector } = {} }) {
  const item = type === 'int53' ? 'long' : type
  return `${name}:${predicate ? `${predicate}?` : ''}${isVector ? `Vector<${item}>` : item}`
}

console.log({ gramjs, mtcute }[process.argv[2]]())
