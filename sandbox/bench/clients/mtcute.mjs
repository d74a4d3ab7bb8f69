// mtcute (npm: @mtcute/node): uploadFile with its own connections and parts in flight.
import { createReadStream } from 'node:fs'
import { dirname, join } from 'node:path'
import { serve } from './probe.mjs'

const packages = join(dirname(process.argv[2]), 'node_modules')
const { MemoryStorage, TelegramClient } = await import(join(packages, '@mtcute/node/index.js'))
const { determinePartSize } = await import(join(packages, '@mtcute/node/utils.js'))

async function connect(address) {
    const dc = { id: address.dc_id, ipAddress: address.host, port: address.port }
    const client = new TelegramClient({
        apiId: 1,
        apiHash: '0'.repeat(32),
        storage: new MemoryStorage(),
        disableUpdates: true,
        logLevel: 0,
    })
    const authKey = Buffer.from(address.auth_key_hex, 'hex')
    const primaryDcs = { main: dc, media: { ...dc, mediaOnly: true } }
    const self = { userId: 1, isBot: true, isPremium: false, usernames: [] }
    await client.importSession({ authKey, primaryDcs, self }, true)
    await client.connect()
    return {
        upload: (order) =>
            client.uploadFile({
                file: createReadStream(order.path),
                fileSize: order.size_bytes,
                partSize: determinePartSize(order.like_bytes, true),
            }),
        chat: () => client.call({ _: 'help.getNearestDc' }),
    }
}

await serve(connect)
