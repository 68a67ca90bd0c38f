// Print who wears the electrodes, whenever that changes.
//
//     npm install zeromq
//     node examples/subscriber.js [tcp://127.0.0.1:5292]

const zmq = require("zeromq");

async function main() {
  const socket = new zmq.Subscriber();
  socket.connect(process.argv[2] ?? "tcp://127.0.0.1:5292");
  socket.subscribe("identity");

  let said = "";
  for await (const [topic, header] of socket) {
    if (topic.toString() !== "identity") continue; // ZeroMQ compares the beginning only
    const identity = JSON.parse(header.toString());
    const who = identity.person ?? identity.state;
    if (who === said) continue;
    said = who;
    const simulated = identity.source === "simulated" ? " (simulated)" : "";
    console.log(`${identity.utc}  ${who}${simulated}`);
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
