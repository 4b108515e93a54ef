# Reference values for tests/data/test_frame.c: column names and sums of R's model.matrix on the table of that test.
# Run by hand: Rscript scripts/reference-frame.R
d <- data.frame(y = c(3, 5, 4, 8, 6, 7, 9, 2, 5, 6, 1, 8), x = c(1.5, 2, 3.5, 4, 5, 6.5, 7, 8, 9.5, 10, 11, 12),
                g = c("cbt", "tau", "cbt", "ipt", "tau", "ipt", "cbt", "tau", "ipt", "cbt", "tau", "ipt"),
                s = c(1, 1, 2, 2, 10, 10, 1, 2, 10, 1, 2, 10), z = c(2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11))
ours <- function(name) gsub("(^|:)g(cbt|ipt|tau)", "\\1g[\\2]", gsub("factor\\(s\\)(10|1|2)", "factor(s)[\\1]", name))
show <- function(f) {
  m <- model.matrix(f, d)
  sums <- colSums(m * seq_len(nrow(m)))
  cat(sprintf('        {"%s", %d, {%s}, {%s}},\n', paste(deparse(f, width.cutoff = 200)), ncol(m),
              paste0('"', ours(colnames(m)), '"', collapse = ", "), paste(sprintf("%.15g", sums), collapse = ", ")))
}
# Left out: ~ 0 + x + g:x, which R codes by every level of g although x is there, so that the columns are collinear.
for (f in list(~ x, ~ x * g, ~ g:x, ~ g * factor(s), ~ g:factor(s), ~ -1 + g, ~ x - 1, ~ (x + z + g)^2,
               ~ (x + z + g)^2 - x:z, ~ g / x, ~ g / factor(s), ~ log(x) + I(x^2) + sqrt(z), ~ x + x:g, ~ g + x:g,
               ~ x:z:g, ~ -1 + g + factor(s), ~ x * z * g - x:z:g, ~ I(x - z) + I(-x))) show(f)
