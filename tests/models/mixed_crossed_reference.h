/* Made by scripts/reference-mixed.R with R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, pbkrtest 0.5.2. */
#ifndef BORDIN_TESTS_MODELS_MIXED_CROSSED_REFERENCE_H
#define BORDIN_TESTS_MODELS_MIXED_CROSSED_REFERENCE_H

static const double penicillin_reml_fit[] = {330.860588991, 0.549923139096};
static const double penicillin_reml_estimates[] = {22.9722222222};
static const double penicillin_reml_se[] = {0.808573392587};
static const double penicillin_reml_df[] = {5.48709226198};
static const double penicillin_reml_p[] = {3.61920953137e-07};
static const double penicillin_reml_kenward_roger[] = {0.808573392587, 5.48709227646};
static const double penicillin_reml_covariances[] = {0.716908212177, 3.73091789004, 0.302415458913};
static const double penicillin_reml_plate_effects[] = {0.804547044397, 0.804547044397, 0.271359532732,
    0.271359532732};
static const double penicillin_reml_sample_effects[] = {2.18705796746, -1.01047614952, 0.2021708062, 0.2021708062};
static const double penicillin_ml_fit[] = {332.188348669, 0.549932196432};
static const double penicillin_ml_estimates[] = {22.9722222222};
static const double penicillin_ml_se[] = {0.744595795035};
static const double penicillin_ml_df[] = {6.68906673216};
static const double penicillin_ml_p[] = {1.83077876493e-08};
static const double penicillin_ml_covariances[] = {0.714992328132, 3.13518824667, 0.302425420672};
static const double penicillin_ml_plate_effects[] = {0.804403712193, 0.804403712193, 0.27076483529, 0.27076483529};
static const double penicillin_ml_sample_effects[] = {2.18565976362, -1.00983014395, 0.201285630058,
    0.201285630058};
static const double pastes_reml_fit[] = {246.990745853, 0.823407554027};
static const double pastes_reml_estimates[] = {60.0533333333};
static const double pastes_reml_se[] = {0.676870066285};
static const double pastes_reml_df[] = {9.00000001372};
static const double pastes_reml_p[] = {1.48783347448e-14};
static const double pastes_reml_kenward_roger[] = {0.676870066285, 9};
static const double pastes_reml_covariances[] = {8.43366666425, 1.65730864491, 0.678000000029};
static const double pastes_reml_batch_cask_effects[] = {1.77468700068, 0.332651131709, 1.14172069459,
    1.14172069459};
static const double pastes_reml_batch_effects[] = {0.800644276862, -0.272508443631, 1.02849355838, 1.02849355838};
static const double pastes_ml_fit[] = {247.994465862, 0.823407554026};
static const double pastes_ml_estimates[] = {60.0533333333};
static const double pastes_ml_se[] = {0.642135326538};
static const double pastes_ml_df[] = {10.0000000159};
static const double pastes_ml_p[] = {4.78322089789e-16};
static const double pastes_ml_covariances[] = {8.43366666815, 1.19915555316, 0.678000000026};
static const double pastes_ml_batch_cask_effects[] = {1.9255868762, 0.483551007201, 1.05444943324, 1.05444943324};
static const double pastes_ml_batch_effects[] = {0.643678823995, -0.219083455155, 0.922181456762, 0.922181456762};
static const double three_reml_fit[] = {404.028237982, 0.935500606557};
static const double three_reml_estimates[] = {23.466413244, -0.168616267188};
static const double three_reml_se[] = {0.998399804133, 0.0207817103936};
static const double three_reml_df[] = {5.84579064966, 113.931981326};
static const double three_reml_p[] = {5.18041854518e-07, 6.33921234372e-13};
static const double three_reml_joint[] = {293.997757075, 2, 9.39960795126, 3.35381714445e-09};
static const double three_reml_covariances[] = {0.819000049274, 5.50264067515, 0.132272572198, 0.875161384868};
static const double three_reml_plate_effects[] = {0.5197803108, 1.34033548928, 0.312644764828, 0.312517550854};
static const double three_reml_sample_effects[] = {2.83878423735, -0.471751451954, 0.313321201593, 0.283831661422};
static const double three_reml_block_effects[] = {-0.329087146438, -0.204295323169, 0.211575199716,
    0.200493633033};
static const double three_ml_fit[] = {399.859250402, 0.931401309365};
static const double three_ml_estimates[] = {23.4665253611, -0.168700466121};
static const double three_ml_se[] = {0.923604773142, 0.0206912923527};
static const double three_ml_df[] = {7.17198152782, 114.904114344};
static const double three_ml_p[] = {2.72675045722e-08, 4.92767356483e-13};
static const double three_ml_joint[] = {338.728338048, 2, 11.8422256356, 3.54314002787e-11};
static const double three_ml_covariances[] = {0.817441493703, 4.64411050235, 0.130297823056, 0.867508399086};
static const double three_ml_plate_effects[] = {0.520173795368, 1.34110245756, 0.311380185417, 0.311249879286};
static const double three_ml_sample_effects[] = {2.83576821755, -0.471155586852, 0.310542147478, 0.281204078171};
static const double three_ml_block_effects[] = {-0.328759083182, -0.204165730625, 0.209799993731, 0.198675239585};
static const double slopes_reml_fit[] = {383.513709288, 0.626423408738};
static const double slopes_reml_estimates[] = {23.4541999198, -0.152378823606};
static const double slopes_reml_se[] = {0.833796639352, 0.0563384800381};
static const double slopes_reml_df[] = {5.37393925216, 5.43569202829};
static const double slopes_reml_p[] = {4.83557471221e-07, 0.0390472185184};
static const double slopes_reml_joint[] = {557.869521346, 2, 5.44144735804, 5.06233922137e-07};
static const double slopes_reml_kenward_roger[] = {0.833856903242, 0.0563510895255, 5.37315168984, 5.19390717622};
static const double slopes_reml_covariances[] = {0.648199548249, 0.00413420152362, -0.000610168795844,
    3.94952816721, 0.0158532861118, 0.14201429758, 0.392406287015};
static const double slopes_reml_plate_effects[] = {0.685516458662, -0.0115205735319, 0.349138679102,
    0.0516626085291};
static const double slopes_reml_sample_effects[] = {2.25783219155, 0.15263666474, 0.266189657984, 0.0470559357312};
static const double slopes_ml_fit[] = {380.649394191, 0.627757748024};
static const double slopes_ml_estimates[] = {23.4555708616, -0.152471237591};
static const double slopes_ml_se[] = {0.765395367536, 0.0517656674701};
static const double slopes_ml_df[] = {6.52375517454, 6.52155023601};
static const double slopes_ml_p[] = {2.68903663924e-08, 0.0233733220056};
static const double slopes_ml_joint[] = {661.704265097, 2, 6.51076821132, 3.01602024182e-08};
static const double slopes_ml_covariances[] = {0.636899840191, 0.00388549093326, 0.000905790211059, 3.29585106489,
    0.0129411844662, 0.120864635552, 0.394079790204};
static const double slopes_ml_plate_effects[] = {0.676777207115, -0.0103928628882, 0.344082349117,
    0.0502959019088};
static const double slopes_ml_sample_effects[] = {2.26117929007, 0.151019361989, 0.259954596071, 0.0453061832087};

#endif
