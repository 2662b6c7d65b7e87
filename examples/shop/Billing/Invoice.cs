namespace ShopBilling;

/// <summary>The debt of a customer for one order.</summary>
/// <param name="Kind">Always <c>invoice</c>.</param>
/// <param name="Number">The number of the order.</param>
/// <param name="Customer">The name of the customer.</param>
/// <param name="Cents">The amount.</param>
internal sealed record Invoice(string Kind, int Number, string Customer, int Cents);
