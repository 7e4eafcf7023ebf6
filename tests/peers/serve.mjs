// Answers lines of JSON on standard input with lines of JSON: `op` names the operation, which gets the whole request.
import readline from 'node:readline'

export async function serve (operations) {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line)
    let answer
    try {
      answer = await operations[request.op](request)
    } catch (error) {
      answer = { error: String(error.stack ?? error) }
    }
    console.log(JSON.stringify(answer))
  }
}
