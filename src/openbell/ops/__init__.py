"""Operations: finding nodes, watching them from outside, and showing what they do. Its death changes nothing."""
