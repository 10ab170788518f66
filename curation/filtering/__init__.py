"""What filters share: their base class, similarity of texts, limits of bulk decisions, rules that proposals keep."""
