// The bot of the interop tests, written with mtcute.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import process from 'node:process'

import { BotKeyboard, InputMedia, MemoryStorage, TelegramClient } from '@mtcute/node'
import { addPublicKey, NodeCryptoProvider } from '@mtcute/node/utils.js'

const place = JSON.parse(process.argv[2])
addPublicKey(new NodeCryptoProvider(), await readFile(place.public_key_path, 'utf8'))
const here = { id: place.dc_id, ipAddress: place.host, port: place.port }
const bot = new TelegramClient({
  apiId: place.api_id,
  apiHash: place.api_hash,
  storage: new MemoryStorage(),
  defaultDcs: { main: here, media: { ...here, mediaOnly: true } },
  updates: { catchUp: true },
  logLevel: 1, // errors: it warns of its own pings
})
const keyboard = BotKeyboard.inline([[BotKeyboard.callback('Press me', 'go')]])

bot.onNewMessage.add(async (message) => {
  if (message.isOutgoing) return
  if (message.media?.type === 'document') {
    // into memory: to a file, it does not wait until that is written
    const digest = createHash('sha256').update(await bot.downloadAsBuffer(message.media)).digest('hex')
    await bot.sendText(message.chat, digest)
  } else if (message.text === '/start') {
    await bot.sendText(message.chat, 'Choose', { replyMarkup: keyboard })
  } else if (message.text === '/file') {
    await bot.sendMedia(message.chat, InputMedia.document(`file:${place.file_path}`))
  } else if (message.text === '/logout') {
    await bot.logOut()
    process.exit()
  }
})
bot.onCallbackQuery.add(async (query) => {
  await bot.answerCallbackQuery(query, { text: 'Well done', alert: true })
  await bot.editMessage({ chatId: query.chat, message: query.messageId, text: 'Pressed' })
})

// before it has caught up with nothing, what comes is not delivered
const caughtUp = new Promise((resolve) => {
  const states = []
  bot.onConnectionState.add((state) => {
    if (state === 'connected' && states.includes('updating')) resolve()
    states.push(state)
  })
})
await bot.start({ botToken: place.bot_token })
await caughtUp
console.log('ready')
