// The person of the interop tests, with mtcute.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import process from 'node:process'

import { InputMedia, MemoryStorage, TelegramClient } from '@mtcute/node'
import { addPublicKey, NodeCryptoProvider } from '@mtcute/node/utils.js'

const place = JSON.parse(process.argv[2])
addPublicKey(new NodeCryptoProvider(), await readFile(place.public_key_path, 'utf8'))
const here = { id: place.dc_id, ipAddress: place.host, port: place.port }
const person = new TelegramClient({
  apiId: place.api_id,
  apiHash: place.api_hash,
  storage: new MemoryStorage(),
  defaultDcs: { main: here, media: { ...here, mediaOnly: true } },
  updates: { catchUp: true },
  logLevel: 1, // errors: it warns of its own pings
})

const arrived = []
let wake = () => {}
person.onNewMessage.add(async (message) => {
  if (message.isOutgoing) return
  arrived.push(message)
  wake()
})
async function heard() {
  while (!arrived.length) await new Promise((resolve) => (wake = resolve))
  return arrived.shift()
}

// before it has caught up with nothing, what comes is not delivered
const caughtUp = new Promise((resolve) => {
  const states = []
  person.onConnectionState.add((state) => {
    if (state === 'connected' && states.includes('updating')) resolve()
    states.push(state)
  })
})
await person.start({ phone: place.phone, code: place.code, codeSentCallback: () => {} })
await caughtUp
await person.sendText(place.bot_username, '/start')
const words = (await heard()).text
await person.sendMedia(place.bot_username, InputMedia.document(`file:${place.file_path}`))
const fetched = await person.downloadAsBuffer((await heard()).media)
await person.joinChat(place.channel)
const { membersCount } = await person.getFullChat(place.channel)
if (membersCount !== 2) throw new Error(`${membersCount} are in the channel`)
const chats = []
for await (const dialog of person.iterDialogs()) chats.push(dialog.peer.displayName)
await person.logOut()
const digest = createHash('sha256').update(fetched).digest('hex')
console.log(JSON.stringify({ heard: words, digest, chats }))
process.exit()
