// The person of the interop tests, with GramJS.
import { createHash } from 'node:crypto'
import process from 'node:process'

import bigInt from 'big-integer'
import { Api, TelegramClient } from 'telegram'
import { _serverKeys } from 'telegram/crypto/RSA.js'
import { NewMessage } from 'telegram/events/index.js'
import { Logger, LogLevel } from 'telegram/extensions/Logger.js'
import { ConnectionTCPFull } from 'telegram/network/index.js'
import { MemorySession } from 'telegram/sessions/index.js'

const place = JSON.parse(process.argv[2])
_serverKeys.set(place.fingerprint, { n: bigInt(place.modulus, 16), e: place.exponent })

/** Every data centre is at the address of the one that is tested. */
class Here extends ConnectionTCPFull {
  constructor(options) {
    super({ ...options, ip: place.host, port: place.port })
  }
}

const session = new MemorySession()
session.setDC(place.dc_id, place.host, place.port)
const person = new TelegramClient(session, place.api_id, place.api_hash, {
  baseLogger: new Logger(LogLevel.ERROR),
  connection: Here,
})

const arrived = []
let wake = () => {}
person.addEventHandler(({ message }) => {
  arrived.push(message)
  wake()
}, new NewMessage({ incoming: true }))
async function heard() {
  while (!arrived.length) await new Promise((resolve) => (wake = resolve))
  return arrived.shift()
}

await person.start({
  phoneNumber: async () => place.phone,
  phoneCode: async () => place.code,
  onError: (error) => { throw error },
})
await person.sendMessage(place.bot_username, { message: '/start' })
const words = (await heard()).text
await person.sendFile(place.bot_username, { file: place.file_path, forceDocument: true, workers: 4 })
const fetched = await person.downloadMedia(await heard())
await person.invoke(new Api.channels.JoinChannel({ channel: place.channel }))
const { fullChat } = await person.invoke(new Api.channels.GetFullChannel({ channel: place.channel }))
if (fullChat.participantsCount !== 2) throw new Error(`${fullChat.participantsCount} are in the channel`)
const chats = (await person.getDialogs({})).map((dialog) => dialog.title)
await person.invoke(new Api.auth.LogOut())
const digest = createHash('sha256').update(fetched).digest('hex')
console.log(JSON.stringify({ heard: words, digest, chats }))
process.exit()
