// The bot of the interop tests, written with GramJS.
import { createHash } from 'node:crypto'
import process from 'node:process'

import bigInt from 'big-integer'
import { Api, TelegramClient } from 'telegram'
import { _serverKeys } from 'telegram/crypto/RSA.js'
import { CallbackQuery } from 'telegram/events/CallbackQuery.js'
import { NewMessage } from 'telegram/events/index.js'
import { Logger, LogLevel } from 'telegram/extensions/Logger.js'
import { ConnectionTCPFull } from 'telegram/network/index.js'
import { MemorySession } from 'telegram/sessions/index.js'
import { Button } from 'telegram/tl/custom/button.js'

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
const bot = new TelegramClient(session, place.api_id, place.api_hash, {
  baseLogger: new Logger(LogLevel.WARN),
  connection: Here,
})

bot.addEventHandler(async ({ message }) => {
  if (message.document) {
    // into memory: with a path, it does not wait until the file is written
    const digest = createHash('sha256').update(await bot.downloadMedia(message)).digest('hex')
    await message.respond({ message: digest })
  } else if (message.text === '/start') {
    await message.respond({ message: 'Choose', buttons: [[Button.inline('Press me', Buffer.from('go'))]] })
  } else if (message.text === '/file') {
    await bot.sendFile(message.peerId, { file: place.file_path, forceDocument: true, workers: 4 })
  } else if (message.text === '/logout') {
    await bot.invoke(new Api.auth.LogOut())
    process.exit()
  }
}, new NewMessage({ incoming: true }))
bot.addEventHandler(async (query) => {
  await query.answer({ message: 'Well done', alert: true })
  await query.edit({ message: query.messageId, text: 'Pressed' })
}, new CallbackQuery({}))

await bot.start({ botAuthToken: place.bot_token })
console.log('ready')
