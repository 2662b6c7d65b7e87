// Microsoft's SignalR client at /hub, over a WebSocket without negotiation.
import * as signalR from '@microsoft/signalr';

export async function startSignalR(queue, onEvent) {
  const connection = new signalR.HubConnectionBuilder()
    .withUrl(queue.hubUrl, { skipNegotiation: true, transport: signalR.HttpTransportType.WebSockets })
    .configureLogging(signalR.LogLevel.Warning)
    .build();
  connection.on('message', onEvent);
  connection.on('gap', onEvent);
  connection.on('close', onEvent);
  const failed = new Promise((_, fail) => {
    connection.onclose(error => error && fail(new Error(`the hub connection was closed: ${error.message}`)));
  });
  failed.catch(() => {});
  await connection.start();
  await connection.invoke('Subscribe', queue.name);
  return { failed, stop: () => connection.stop() };
}
