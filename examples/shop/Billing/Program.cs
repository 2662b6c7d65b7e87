using System.Diagnostics;
using PushQueue.Client;
using ShopBilling;

// Bills orders: an invoice for each. Dies on purpose at the worst moment: the invoice is put and the order is not yet acked.
if (args is not [var server, var shop])
{
    await Console.Error.WriteLineAsync("Usage: ShopBilling http://HOST:PORT SHOP");
    return 2;
}

// Ends with the program that started it, which holds standard input open. The console reads on the calling thread.
_ = Task.Run(() =>
{
    _ = Console.In.ReadToEnd();
    Environment.Exit(0);
});
using var client = new PushQueueClient(server);

// Without grace what a dead worker held goes to another at once.
var options = new ConsumeOptions { Ack = AckMode.Manual, Prefetch = 4, Grace = TimeSpan.Zero };

// The stream ends when the shop closes, which deletes its queues.
await foreach (var message in client.ConsumeAsync($"{shop}.billing", ShopJson.Default.Order, options))
{
    var order = message.Value!;

    // An order may come twice; its invoice under the order's own id is stored once.
    var invoice = new Invoice("invoice", order.Number, order.Customer, order.Cents);
    await client.PutAsync($"{shop}.invoices", invoice, ShopJson.Default.Invoice, new PutOptions { Id = $"invoice-{order.Number}" });
    if (message.Raw.Attempt == 1 && order.Number % 40 == 0)
    {
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }

    _ = await message.AckAsync();
}

return 0;
