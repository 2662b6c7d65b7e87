namespace ShopBilling;

/// <summary>An order of the shop.</summary>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Customer">The name of the customer.</param>
/// <param name="Cents">The price.</param>
internal sealed record Order(int Number, string Customer, int Cents);
