// GramJS (npm: telegram): uploadFile with four workers on one further connection.
import { createRequire } from 'node:module'
import { serve } from './probe.mjs'

const require = createRequire(process.argv[2])
const { Api, TelegramClient } = require('telegram')
const { CustomFile } = require('telegram/client/uploads')
const { AuthKey } = require('telegram/crypto/AuthKey')
const { Logger, LogLevel } = require('telegram/extensions/Logger')
const { ConnectionTCPFull } = require('telegram/network')
const { StringSession } = require('telegram/sessions')

const WORKERS = 4

async function connect(address) {
    // it would go to ports 80 and 443, whatever the session and the configuration say
    class ConnectionThere extends ConnectionTCPFull {
        constructor(options) {
            super({ ...options, ip: address.host, port: address.port })
        }
    }
    const session = new StringSession('')
    session.setDC(address.dc_id, address.host, 443)
    const key = new AuthKey()
    await key.setKey(Buffer.from(address.auth_key_hex, 'hex'))
    session.setAuthKey(key, address.dc_id)
    const client = new TelegramClient(session, 1, '0'.repeat(32), {
        connection: ConnectionThere,
        baseLogger: new Logger(LogLevel.NONE), // standard output is for the samples
    })
    await client.connect()
    return {
        upload: (order) => {
            const file = new CustomFile('file.bin', order.size_bytes, order.path)
            return client.uploadFile({ file, workers: WORKERS })
        },
        chat: () => client.invoke(new Api.help.GetNearestDc()),
    }
}

await serve(connect)
