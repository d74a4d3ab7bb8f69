// Measures one client inside its own process, as probe.py does; the lines in and out are the same.
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const TICK_MS = 5
const CHAT_MS = 20

/** An address and then orders on standard input, a sample for each on standard output. */
export async function serve(connect) {
    const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
    const client = await connect(JSON.parse((await lines.next()).value))
    const idle = memoryBytes('VmRSS')
    for await (const line of lines) {
        const sample = await carry(client, JSON.parse(line))
        process.stdout.write(`${JSON.stringify({ ...sample, rss_idle_bytes: idle })}\n`)
    }
    process.exit(0)
}

async function carry(client, order) {
    const watch = { over: false, lags: [], chats: [] }
    forgetPeak()
    const watchers = [lag(watch)]
    if (order.chat) watchers.push(talk(client, watch))
    const begin = performance.now()
    const cpu = process.cpuUsage()
    await Promise.all(Array.from({ length: order.files }, () => client.upload(order)))
    const seconds = (performance.now() - begin) / 1000
    const spent = process.cpuUsage(cpu)
    watch.over = true
    await Promise.all(watchers)
    return {
        size_bytes: order.size_bytes * order.files,
        seconds,
        cpu_s: (spent.user + spent.system) / 1e6,
        rss_peak_bytes: memoryBytes('VmHWM'),
        lag: spread(watch.lags),
        chat: spread(watch.chats),
    }
}

async function lag(watch) {
    while (!watch.over) {
        const due = performance.now() + TICK_MS
        await sleep(TICK_MS)
        watch.lags.push(Math.max(0, performance.now() - due) / 1000)
    }
}

async function talk(client, watch) {
    const calls = []
    while (!watch.over) {
        calls.push(say(client, watch))
        await sleep(CHAT_MS)
    }
    await Promise.all(calls)
}

async function say(client, watch) {
    const begin = performance.now()
    await client.chat()
    if (!watch.over) watch.chats.push((performance.now() - begin) / 1000)
}

function spread(waits) {
    if (!waits.length) return null
    const ranked = waits.toSorted((a, b) => a - b)
    const at = (share) => ranked[Math.ceil(share * ranked.length) - 1]
    return { p50: at(0.5), p99: at(0.99), most: ranked.at(-1) }
}

function memoryBytes(key) {
    try {
        const line = readFileSync('/proc/self/status', 'utf8').split('\n').find((each) => each.startsWith(`${key}:`))
        return Number.parseInt(line.slice(key.length + 1), 10) * 1024
    } catch {
        return 0
    }
}

function forgetPeak() {
    try {
        writeFileSync('/proc/self/clear_refs', '5')
    } catch {
        // not on this system: the peak is then that of all orders so far
    }
}
